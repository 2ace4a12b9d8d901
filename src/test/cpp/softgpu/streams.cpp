// Streams, events and graphs: every call adds an op to a graph of dependencies, and nothing is done until a call asks for
// it. So a copy reads the host's memory as late as CUDA allows, and a wait that the program forgot shows.
#include "softgpu.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace softgpu {

std::recursive_mutex lock;
std::condition_variable_any changed;

namespace {

/** How long the other ranks of a meeting may keep away before this is called a deadlock. */
constexpr std::chrono::seconds patience{60};

thread_local Context *current = nullptr;

void record(Stream &stream, const OpRef &op) {
    stream.last = op;
    changed.notify_all();
}

void linkLegacy(Stream &stream, Op &op) {
    Context &context = *stream.context;
    if (stream.isLegacy) {
        for (Stream *other : context.streams)
            if (other->blocking && other->last && !other->last->done) op.after.push_back(other->last);
    } else if (stream.blocking && context.legacy->last && !context.legacy->last->done) {
        op.after.push_back(context.legacy->last);
    }
}

} // namespace

void enqueueOp(Stream &stream, std::function<OpRef()> make) {
    if (stream.capture.graph != nullptr) {
        Graph &graph = *stream.capture.graph;
        graph.nodes.push_back({std::move(make), stream.capture.leaves});
        stream.capture.leaves = {static_cast<int>(graph.nodes.size()) - 1};
        return;
    }
    OpRef op = make();
    if (stream.last && !stream.last->done) op->after.push_back(stream.last);
    linkLegacy(stream, *op);
    record(stream, op);
}

void enqueue(Stream &stream, std::string what, std::function<void()> work) {
    Context *context = stream.context;
    enqueueOp(stream, [=] {
        auto op = std::make_shared<Op>();
        op->what = what;
        op->context = context;
        op->work = work;
        return op;
    });
}

/** Depth first, with a stack of our own, for the chains are long. */
void demand(const OpRef &target) {
    if (!target) return;
    std::vector<OpRef> stack{target};
    auto forget = [&] {
        for (const OpRef &op : stack) op->visiting = false;
    };
    while (!stack.empty()) {
        OpRef op = stack.back();
        if (op->done) {
            op->visiting = false;
            stack.pop_back();
            continue;
        }
        op->visiting = true;
        std::vector<OpRef> others;
        bool complete = !op->meeting || op->meeting(others);
        OpRef next;
        for (const auto *list : {&op->after, &others})
            for (const OpRef &o : *list)
                if (!o->done && o != op) next = next ? next : o;
        if (next) {
            if (next->visiting) {
                report("deadlock: " + op->what + " and " + next->what + " wait for one another");
                op->context->sticky = CUDA_ERROR_LAUNCH_TIMEOUT;
                next->done = true;
                next->visiting = false;
                continue;
            }
            stack.push_back(next);
            continue;
        }
        if (!complete) {
            if (changed.wait_for(lock, patience) == std::cv_status::timeout && !op->done) {
                report("deadlock: " + op->what + " waits for ranks that do not come");
                op->context->sticky = CUDA_ERROR_LAUNCH_TIMEOUT;
                op->done = true;
            }
            continue;
        }
        if (op->context->sticky == CUDA_SUCCESS && op->work) {
            try {
                op->work();
            } catch (const Refusal &refusal) {
                op->context->sticky = refusal.code;
            }
        }
        op->done = true;
        op->work = nullptr;
        op->meeting = nullptr;
        op->after.clear();
        changed.notify_all();
    }
    forget();
}

void demandAll(Context &context) {
    for (size_t i = 0; i < context.streams.size(); i++) demand(context.streams[i]->last);
    demand(context.legacy->last);
}

Context &currentContext() {
    if (current == nullptr) {
        report("a call that needs a current context, and the thread has none");
        throw Refusal{CUDA_ERROR_INVALID_CONTEXT};
    }
    if (current->destroyed) {
        report("a call in a context that was released");
        throw Refusal{CUDA_ERROR_CONTEXT_IS_DESTROYED};
    }
    return *current;
}

} // namespace softgpu

using namespace softgpu;

namespace {

std::vector<std::unique_ptr<Context>> contexts; // primary ones by device, never removed
std::unordered_map<void *, std::unique_ptr<Stream>> streams;
std::unordered_map<void *, std::unique_ptr<Event>> events;
std::unordered_map<void *, std::unique_ptr<Graph>> graphs;
std::unordered_map<void *, std::unique_ptr<GraphExec>> execs;
std::unordered_map<void *, std::unique_ptr<Module>> modules;
std::map<uintptr_t, size_t> pinned;
bool initialised = false;

template <class T> T &find(std::unordered_map<void *, std::unique_ptr<T>> &all, void *handle, const char *kind) {
    auto found = all.find(handle);
    if (found == all.end()) {
        report(format("a handle of no %s: %p", kind, handle));
        throw Refusal{CUDA_ERROR_INVALID_HANDLE};
    }
    if (found->second->destroyed) {
        report(format("use of a destroyed %s", kind));
        throw Refusal{CUDA_ERROR_INVALID_HANDLE};
    }
    return *found->second;
}

template <class T> T &add(std::unordered_map<void *, std::unique_ptr<T>> &all, std::unique_ptr<T> object) {
    T &reference = *object;
    all[&reference] = std::move(object);
    return reference;
}

void requireDevice(int device) {
    if (device < 0 || device >= settings().devices) throw Refusal{CUDA_ERROR_INVALID_DEVICE};
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void log(const char *name, CUresult result) {
    if (settings().log) fprintf(stderr, "softgpu: %s -> %d\n", name, result);
}

/** A call that waits may not be made while its stream is being captured. */
void forbidCapture(Stream &stream, const char *name) {
    if (stream.capture.graph == nullptr) return;
    report(format("%s on a stream that is being captured", name));
    throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
}

void requireNoCapture(Context &context, const char *name) {
    for (Stream *stream : context.streams) {
        if (stream->capture.graph == nullptr) continue;
        report(format("%s while a stream is being captured", name));
        throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
    }
}

void finish(Context &context) {
    if (context.sticky != CUDA_SUCCESS) throw Refusal{context.sticky};
}

/** What a failing device says from the call on that SOFTGPU_FAIL=lost:N names. */
bool lost = false;

} // namespace

namespace softgpu {

bool failsNow(const char *kind) {
    static const char *wanted = getenv("SOFTGPU_FAIL");
    static long left = -1;
    static std::string which;
    if (wanted == nullptr || *wanted == 0) return false;
    if (left < 0) {
        const char *colon = strchr(wanted, ':');
        which = colon ? std::string(wanted, colon) : wanted;
        left = colon ? atol(colon + 1) : 1;
    }
    return which == kind && left > 0 && --left == 0;
}

CUresult call(const char *name, const std::function<void()> &body, bool needsContext) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    CUresult result = CUDA_SUCCESS;
    try {
        if (!initialised) throw Refusal{CUDA_ERROR_NOT_INITIALIZED};
        if (failsNow("lost")) lost = true;
        if (lost) throw Refusal{CUDA_ERROR_DEVICE_UNAVAILABLE};
        if (needsContext) finish(currentContext());
        body();
    } catch (const Refusal &refusal) {
        result = refusal.code;
    }
    log(name, result);
    return result;
}

Stream &streamOf(void *handle) {
    Context &context = currentContext();
    if (handle == nullptr || handle == reinterpret_cast<void *>(1)) return *context.legacy;
    Stream &stream = find(streams, handle, "stream");
    if (stream.context != &context) {
        report(format("a stream of device %d in a context of device %d", stream.context->device, context.device));
        throw Refusal{CUDA_ERROR_INVALID_HANDLE};
    }
    return stream;
}

Stream &anyStream(void *handle, int device) {
    if (handle == nullptr || handle == reinterpret_cast<void *>(1)) return *primaryContext(device).legacy;
    return find(streams, handle, "stream");
}

Context &primaryContext(int device) { return *contexts.at(static_cast<size_t>(device)); }

} // namespace softgpu

extern "C" {

CUresult cuInit(unsigned flags) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (settings().devices == 0) return CUDA_ERROR_NO_DEVICE;
    if (!initialised) {
        for (int d = 0; d < settings().devices; d++) {
            auto context = std::make_unique<Context>();
            context->device = d;
            context->legacy = std::make_unique<Stream>();
            context->legacy->context = context.get();
            context->legacy->isLegacy = true;
            contexts.push_back(std::move(context));
        }
        initialised = true;
    }
    return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
    if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *version = 13010;
    return CUDA_SUCCESS;
}

CUresult cuGetExportTable(const void **table, const void *) {
    if (table != nullptr) *table = nullptr;
    return CUDA_ERROR_NOT_FOUND;
}

CUresult cuDeviceGetCount(int *count) {
    return call("cuDeviceGetCount", [&] { *count = settings().devices; }, false);
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    return call("cuDeviceGet", [&] { requireDevice(ordinal); *device = ordinal; }, false);
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    return call("cuDeviceGetName", [&] {
        requireDevice(device);
        if (length <= 0) throw Refusal{CUDA_ERROR_INVALID_VALUE};
        snprintf(name, static_cast<size_t>(length), "Software GPU (tests only, no timing)");
    }, false);
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    return call("cuDeviceTotalMem", [&] { requireDevice(device); *bytes = settings().memory; }, false);
}

CUresult cuDeviceGetUuid_v2(void *uuid, CUdevice device) {
    return call("cuDeviceGetUuid", [&] { requireDevice(device); memset(uuid, device + 1, 16); }, false);
}

CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
    return call("cuDeviceCanAccessPeer", [&] { requireDevice(device); requireDevice(peer); *can = 0; }, false);
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    return call("cuDeviceGetAttribute", [&] {
        requireDevice(device);
        const Settings &s = settings();
        const int shared = maxSharedOptIn();
        switch (attribute) {
        case 1: *value = 1024; break;              // threads a block
        case 2: case 3: *value = 1024; break;      // block x, y
        case 4: *value = 64; break;                // block z
        case 5: *value = 2147483647; break;        // grid x
        case 6: case 7: *value = 65535; break;     // grid y, z
        case 8: *value = 49152; break;             // shared memory a block, without opting in
        case 9: *value = 65536; break;             // constant memory
        case 10: *value = 32; break;               // warp
        case 12: *value = 65536; break;            // registers a block
        case 13: *value = 1; break;                // clock, kHz: no timing here
        case 16: *value = s.multiprocessors; break;
        case 18: *value = 0; break;                // integrated
        case 19: *value = 1; break;                // can map host memory
        case 20: *value = 0; break;                // compute mode: default
        case 31: *value = 1; break;                // concurrent kernels
        case 32: *value = 1; break;                // ECC
        case 33: *value = device + 1; break;       // PCI bus
        case 34: case 50: *value = 0; break;       // PCI device, domain
        case 36: *value = 1; break;                // memory clock, kHz
        case 37: *value = 5120; break;             // bus width
        case 38: *value = 40 << 20; break;         // L2
        case 39: *value = s.architecture / 10 == 8 && s.architecture != 80 ? 1536 : s.architecture == 75 ? 1024 : 2048; break;
        case 40: *value = 2; break;                // copy engines
        case 41: *value = 1; break;                // unified addressing
        case 75: *value = s.architecture / 10; break;
        case 76: *value = s.architecture % 10; break;
        case 78: *value = 1; break;                // stream priorities
        case 81: *value = shared + 1024; break;    // shared memory a multiprocessor
        case 82: *value = 65536; break;            // registers a multiprocessor
        case 83: *value = 0; break;                // managed memory
        case 97: *value = shared; break;           // shared memory a block, opted in
        case 106: *value = s.architecture == 75 ? 16 : 32; break; // blocks a multiprocessor
        case 111: *value = 1024; break;            // shared memory reserved a block
        case 115: *value = 0; break;               // memory pools
        default: *value = 0;
        }
    }, false);
}

CUresult cuDevicePrimaryCtxRetain(void **context, CUdevice device) {
    return call("cuDevicePrimaryCtxRetain", [&] {
        requireDevice(device);
        Context &c = primaryContext(device);
        if (c.destroyed && c.sticky != CUDA_SUCCESS) throw Refusal{c.sticky};
        c.retained++;
        c.destroyed = false;
        *context = &c;
    }, false);
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return call("cuDevicePrimaryCtxRelease", [&] {
        requireDevice(device);
        Context &c = primaryContext(device);
        if (c.retained == 0) {
            report("cuDevicePrimaryCtxRelease of a context that is not retained");
            throw Refusal{CUDA_ERROR_INVALID_CONTEXT};
        }
        if (--c.retained == 0) {
            demandAll(c);
            c.destroyed = true;
        }
    }, false);
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
    return call("cuDevicePrimaryCtxSetFlags", [&] { requireDevice(device); }, false);
}

CUresult cuCtxSetCurrent(void *context) {
    return call("cuCtxSetCurrent", [&] {
        for (auto &c : contexts) {
            if (c.get() != context) continue;
            if (c->retained == 0) {
                report("cuCtxSetCurrent of a context that was released");
                throw Refusal{CUDA_ERROR_CONTEXT_IS_DESTROYED};
            }
            current = c.get();
            return;
        }
        if (context != nullptr) throw Refusal{CUDA_ERROR_INVALID_CONTEXT};
        current = nullptr;
    }, false);
}

CUresult cuCtxGetCurrent(void **context) {
    return call("cuCtxGetCurrent", [&] { *context = current; }, false);
}

CUresult cuCtxGetDevice(CUdevice *device) {
    return call("cuCtxGetDevice", [&] { *device = currentContext().device; });
}

CUresult cuCtxSynchronize() {
    return call("cuCtxSynchronize", [&] {
        requireNoCapture(currentContext(), "cuCtxSynchronize");
        demandAll(currentContext());
        finish(currentContext());
    });
}

// Memory

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
    return call("cuMemGetInfo", [&] {
        *free = freeBytes(currentContext().device);
        *total = settings().memory;
    });
}

CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
    return call("cuMemAlloc", [&] {
        *pointer = 0;
        if (failsNow("alloc")) throw Refusal{CUDA_ERROR_OUT_OF_MEMORY};
        *pointer = allocate(currentContext().device, bytes);
    });
}

CUresult cuMemFree_v2(CUdeviceptr pointer) {
    // A context that failed still takes its memory back.
    return call("cuMemFree", [&] {
        Context &context = currentContext();
        if (pointer == 0) return;
        requireNoCapture(context, "cuMemFree");
        demandAll(context);
        release(pointer, context.device);
        finish(context);
    }, false);
}

CUresult cuMemAllocHost_v2(void **pointer, size_t bytes) {
    return call("cuMemAllocHost", [&] {
        currentContext();
        if (bytes == 0) throw Refusal{CUDA_ERROR_INVALID_VALUE};
        if (failsNow("alloc")) throw Refusal{CUDA_ERROR_OUT_OF_MEMORY};
        *pointer = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
        memset(*pointer, 0xff, bytes);
        pinned[reinterpret_cast<uintptr_t>(*pointer)] = bytes;
    });
}

CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned) { return cuMemAllocHost_v2(pointer, bytes); }

CUresult cuMemFreeHost(void *pointer) {
    return call("cuMemFreeHost", [&] {
        Context &context = currentContext();
        auto found = pinned.find(reinterpret_cast<uintptr_t>(pointer));
        if (found == pinned.end()) {
            report("cuMemFreeHost of memory that cuMemAllocHost did not give, or that was freed before");
            throw Refusal{CUDA_ERROR_INVALID_VALUE};
        }
        for (auto &c : contexts) demandAll(*c); // as the driver, which waits
        pinned.erase(found);
        free(pointer);
        finish(context);
    }, false);
}

static void copyToDevice(Stream &stream, const char *name, CUdeviceptr to, const void *from, size_t bytes) {
    requireRange(name, to, bytes, stream.context->device);
    int device = stream.context->device;
    enqueue(stream, name, [=] {
        requireRange(name, to, bytes, device);
        memcpy(reinterpret_cast<void *>(to), from, bytes);
    });
}

static void copyToHost(Stream &stream, const char *name, void *to, CUdeviceptr from, size_t bytes) {
    requireRange(name, from, bytes, stream.context->device);
    int device = stream.context->device;
    enqueue(stream, name, [=] {
        requireRange(name, from, bytes, device);
        memcpy(to, reinterpret_cast<void *>(from), bytes);
    });
}

static void copyOnDevice(Stream &stream, const char *name, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    int device = stream.context->device;
    requireRange(name, to, bytes, device);
    requireRange(name, from, bytes, device);
    enqueue(stream, name, [=] {
        requireRange(name, to, bytes, device);
        requireRange(name, from, bytes, device);
        memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
    });
}

static void waitForLegacy(const char *name) {
    Stream &legacy = *currentContext().legacy;
    forbidCapture(legacy, name);
    demand(legacy.last);
    finish(*legacy.context);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
    return call("cuMemcpyHtoD", [&] {
        requireNoCapture(currentContext(), "cuMemcpyHtoD");
        copyToDevice(*currentContext().legacy, "cuMemcpyHtoD", to, from, bytes);
        waitForLegacy("cuMemcpyHtoD");
    });
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoH", [&] {
        requireNoCapture(currentContext(), "cuMemcpyDtoH");
        copyToHost(*currentContext().legacy, "cuMemcpyDtoH", to, from, bytes);
        waitForLegacy("cuMemcpyDtoH");
    });
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoD", [&] {
        requireNoCapture(currentContext(), "cuMemcpyDtoD");
        copyOnDevice(*currentContext().legacy, "cuMemcpyDtoD", to, from, bytes);
        waitForLegacy("cuMemcpyDtoD");
    });
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, void *stream) {
    return call("cuMemcpyHtoDAsync", [&] { copyToDevice(streamOf(stream), "cuMemcpyHtoDAsync", to, from, bytes); });
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, void *stream) {
    return call("cuMemcpyDtoHAsync", [&] { copyToHost(streamOf(stream), "cuMemcpyDtoHAsync", to, from, bytes); });
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void *stream) {
    return call("cuMemcpyDtoDAsync", [&] { copyOnDevice(streamOf(stream), "cuMemcpyDtoDAsync", to, from, bytes); });
}

static void fill(Stream &stream, const char *name, CUdeviceptr to, uint32_t value, unsigned width, size_t count) {
    int device = stream.context->device;
    requireRange(name, to, count * width, device);
    if (to % width != 0) {
        report(format("%s of 0x%llx, which is not aligned to %u bytes", name, to, width));
        throw Refusal{CUDA_ERROR_INVALID_VALUE};
    }
    enqueue(stream, name, [=] {
        requireRange(name, to, count * width, device);
        auto *p = reinterpret_cast<unsigned char *>(to);
        for (size_t i = 0; i < count; i++) memcpy(p + i * width, &value, width);
    });
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, void *stream) {
    return call("cuMemsetD8Async", [&] { fill(streamOf(stream), "cuMemsetD8Async", to, value, 1, count); });
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, void *stream) {
    return call("cuMemsetD16Async", [&] { fill(streamOf(stream), "cuMemsetD16Async", to, value, 2, count); });
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, void *stream) {
    return call("cuMemsetD32Async", [&] { fill(streamOf(stream), "cuMemsetD32Async", to, value, 4, count); });
}
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
    return call("cuMemsetD8", [&] { fill(*currentContext().legacy, "cuMemsetD8", to, value, 1, count); });
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
    return call("cuMemsetD32", [&] { fill(*currentContext().legacy, "cuMemsetD32", to, value, 4, count); });
}

// Streams and events

CUresult cuStreamCreate(void **handle, unsigned flags) {
    return call("cuStreamCreate", [&] {
        auto stream = std::make_unique<Stream>();
        stream->context = &currentContext();
        stream->blocking = (flags & CU_STREAM_NON_BLOCKING) == 0;
        stream->context->streams.push_back(stream.get());
        *handle = &add(streams, std::move(stream));
    });
}
CUresult cuStreamCreateWithPriority(void **handle, unsigned flags, int) { return cuStreamCreate(handle, flags); }

CUresult cuStreamDestroy_v2(void *handle) {
    return call("cuStreamDestroy", [&] {
        Stream &stream = find(streams, handle, "stream");
        demand(stream.last); // the driver lets it finish
        stream.destroyed = true;
        auto &list = stream.context->streams;
        list.erase(std::remove(list.begin(), list.end(), &stream), list.end());
    }, false);
}

CUresult cuStreamSynchronize(void *handle) {
    return call("cuStreamSynchronize", [&] {
        Stream &stream = streamOf(handle);
        forbidCapture(stream, "cuStreamSynchronize");
        demand(stream.last);
        finish(*stream.context);
    });
}

/** Does the work that a program asks about, so that one that polls gets on, but says so only the next time. */
static void query(const OpRef &op) {
    if (!op || op->done) return;
    demand(op);
    throw Refusal{CUDA_ERROR_NOT_READY};
}

CUresult cuStreamQuery(void *handle) {
    return call("cuStreamQuery", [&] {
        Stream &stream = streamOf(handle);
        forbidCapture(stream, "cuStreamQuery");
        query(stream.last);
    });
}

CUresult cuEventCreate(void **handle, unsigned flags) {
    return call("cuEventCreate", [&] {
        auto event = std::make_unique<Event>();
        event->context = &currentContext();
        event->timed = (flags & 2) == 0;
        *handle = &add(events, std::move(event));
    });
}

CUresult cuEventDestroy_v2(void *handle) {
    return call("cuEventDestroy", [&] { find(events, handle, "event").destroyed = true; }, false);
}

CUresult cuEventRecord(void *handle, void *streamHandle) {
    return call("cuEventRecord", [&] {
        Event &event = find(events, handle, "event");
        Stream &stream = streamOf(streamHandle);
        if (event.context != stream.context) {
            report("cuEventRecord of an event on a stream of another device");
            throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        }
        event.recorded = true;
        if (stream.capture.graph != nullptr) {
            event.captured = stream.capture;
            return;
        }
        event.captured = {};
        auto when = std::make_shared<double>(-1);
        event.when = when;
        enqueue(stream, "cuEventRecord", [when] { *when = seconds(); });
        event.op = stream.last;
    });
}

CUresult cuEventSynchronize(void *handle) {
    return call("cuEventSynchronize", [&] {
        Event &event = find(events, handle, "event");
        if (event.captured.graph != nullptr) throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
        demand(event.op);
        finish(*event.context);
    });
}

CUresult cuEventQuery(void *handle) {
    return call("cuEventQuery", [&] {
        Event &event = find(events, handle, "event");
        if (event.captured.graph != nullptr) throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
        query(event.op);
    });
}

CUresult cuEventElapsedTime_v2(float *milliseconds, void *from, void *to) {
    return call("cuEventElapsedTime", [&] {
        Event &a = find(events, from, "event"), &b = find(events, to, "event");
        if (!a.recorded || !b.recorded || !a.timed || !b.timed) throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        if (!a.op || !b.op || !a.op->done || !b.op->done) throw Refusal{CUDA_ERROR_NOT_READY};
        *milliseconds = static_cast<float>((*b.when - *a.when) * 1e3);
    });
}

CUresult cuStreamWaitEvent(void *handle, void *eventHandle, unsigned) {
    return call("cuStreamWaitEvent", [&] {
        Stream &stream = streamOf(handle);
        Event &event = find(events, eventHandle, "event");
        if (event.captured.graph != nullptr) {
            if (stream.capture.graph == nullptr) {
                if (event.captured.graph->destroyed || event.captured.origin->capture.graph != event.captured.graph) {
                    throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
                }
                stream.capture = {event.captured.graph, {}, event.captured.origin};
                event.captured.graph->joined.push_back(&stream);
            } else if (stream.capture.graph != event.captured.graph) {
                throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
            }
            for (int leaf : event.captured.leaves) stream.capture.leaves.push_back(leaf);
            return;
        }
        if (stream.capture.graph != nullptr) {
            report("cuStreamWaitEvent, while captured, of an event recorded outside of the capture");
            throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
        }
        if (!event.op) return; // never recorded: nothing to wait for
        enqueue(stream, "cuStreamWaitEvent", {});
        if (!event.op->done) stream.last->after.push_back(event.op);
    });
}

CUresult cuLaunchHostFunc(void *handle, void (*function)(void *), void *data) {
    return call("cuLaunchHostFunc", [&] { enqueue(streamOf(handle), "cuLaunchHostFunc", [=] { function(data); }); });
}

// Graphs

CUresult cuStreamBeginCapture_v2(void *handle, int) {
    return call("cuStreamBeginCapture", [&] {
        Stream &stream = streamOf(handle);
        if (stream.isLegacy) throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
        forbidCapture(stream, "cuStreamBeginCapture");
        Graph &graph = add(graphs, std::make_unique<Graph>());
        stream.capture = {&graph, {}, &stream};
        graph.joined.push_back(&stream);
    });
}

CUresult cuStreamEndCapture(void *handle, void **result) {
    return call("cuStreamEndCapture", [&] {
        *result = nullptr;
        Stream &stream = streamOf(handle);
        Graph *graph = stream.capture.graph;
        if (graph == nullptr) {
            report("cuStreamEndCapture of a stream that is not being captured");
            throw Refusal{401};
        }
        if (stream.capture.origin != &stream) throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNMATCHED};
        std::vector<char> reached(graph->nodes.size(), 0);
        std::vector<int> stack = stream.capture.leaves;
        while (!stack.empty()) {
            int n = stack.back();
            stack.pop_back();
            if (reached[static_cast<size_t>(n)]) continue;
            reached[static_cast<size_t>(n)] = 1;
            for (int before : graph->nodes[static_cast<size_t>(n)].after) stack.push_back(before);
        }
        for (Stream *joined : graph->joined) joined->capture = {};
        if (std::find(reached.begin(), reached.end(), 0) != reached.end()) {
            report("cuStreamEndCapture before the other captured streams came back by an event");
            graph->destroyed = true;
            throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNJOINED};
        }
        *result = graph;
    });
}

CUresult cuStreamIsCapturing(void *handle, int *status) {
    return call("cuStreamIsCapturing", [&] { *status = streamOf(handle).capture.graph != nullptr; });
}

CUresult cuGraphInstantiateWithFlags(void **exec, void *handle, unsigned long long) {
    return call("cuGraphInstantiate", [&] {
        auto made = std::make_unique<GraphExec>();
        made->context = &currentContext();
        made->nodes = find(graphs, handle, "graph").nodes;
        *exec = &add(execs, std::move(made));
    });
}

CUresult cuGraphGetNodes(void *handle, void **nodes, size_t *count) {
    return call("cuGraphGetNodes", [&] {
        Graph &graph = find(graphs, handle, "graph");
        if (nodes != nullptr) throw Refusal{CUDA_ERROR_NOT_SUPPORTED};
        *count = graph.nodes.size();
    });
}

CUresult cuGraphUpload(void *exec, void *) {
    return call("cuGraphUpload", [&] { find(execs, exec, "graph exec"); });
}

CUresult cuGraphLaunch(void *handle, void *streamHandle) {
    return call("cuGraphLaunch", [&] {
        GraphExec &exec = find(execs, handle, "graph exec");
        Stream &stream = streamOf(streamHandle);
        forbidCapture(stream, "cuGraphLaunch");
        if (exec.context != stream.context) {
            report("cuGraphLaunch on a stream of another device");
            throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        }
        if (failsNow("launch")) throw Refusal{CUDA_ERROR_LAUNCH_FAILED};
        enqueue(stream, "graph begins", {});
        OpRef begin = stream.last;
        std::vector<OpRef> ops;
        std::vector<OpRef> ends;
        for (const Node &node : exec.nodes) {
            OpRef op = node.make();
            op->after.push_back(begin);
            for (int before : node.after) op->after.push_back(ops[static_cast<size_t>(before)]);
            ops.push_back(op);
        }
        enqueue(stream, "graph ends", {});
        for (const OpRef &op : ops) stream.last->after.push_back(op);
        changed.notify_all();
    });
}

CUresult cuGraphExecDestroy(void *handle) {
    return call("cuGraphExecDestroy", [&] { find(execs, handle, "graph exec").destroyed = true; }, false);
}

CUresult cuGraphDestroy(void *handle) {
    return call("cuGraphDestroy", [&] { find(graphs, handle, "graph").destroyed = true; }, false);
}

// Modules

CUresult cuModuleLoadData(void **handle, const void *image) {
    return call("cuModuleLoadData", [&] {
        auto module = loadModule(currentContext(), image);
        *handle = &add(modules, std::move(module));
    });
}
CUresult cuModuleLoadDataEx(void **handle, const void *image, unsigned, int *, void **) { return cuModuleLoadData(handle, image); }

CUresult cuModuleUnload(void *handle) {
    return call("cuModuleUnload", [&] {
        Module &module = find(modules, handle, "module");
        demandAll(*module.context);
        module.destroyed = true; // stays mapped, for reports and for stale pointers
    }, false);
}

CUresult cuModuleGetFunction(void **function, void *handle, const char *name) {
    return call("cuModuleGetFunction", [&] {
        Module &module = find(modules, handle, "module");
        auto found = module.functions.find(name);
        if (found == module.functions.end()) throw Refusal{CUDA_ERROR_NOT_FOUND};
        *function = found->second.get();
    });
}

static Function &functionOf(void *handle) {
    for (auto &module : modules) {
        for (auto &entry : module.second->functions) {
            if (entry.second.get() != handle) continue;
            if (module.second->destroyed) {
                report("use of the kernel " + entry.first + " after its module was unloaded");
                throw Refusal{CUDA_ERROR_INVALID_HANDLE};
            }
            if (module.second->context != &currentContext()) {
                report("use of the kernel " + entry.first + " in a context that its module was not loaded in");
                throw Refusal{CUDA_ERROR_INVALID_HANDLE};
            }
            return *entry.second;
        }
    }
    report("a handle of no kernel");
    throw Refusal{CUDA_ERROR_INVALID_HANDLE};
}

CUresult cuFuncGetAttribute(int *value, int attribute, void *handle) {
    return call("cuFuncGetAttribute", [&] {
        Function &f = functionOf(handle);
        switch (attribute) {
        case 0: *value = maxThreadsOf(f); break;
        case 1: *value = f.staticShared; break;
        case 2: case 3: *value = 0; break;
        case 4: *value = 32; break; // registers: not known here
        case 5: case 6: *value = settings().architecture; break;
        case 8: *value = f.maxDynamicShared; break;
        case 9: *value = -1; break;
        default: throw Refusal{CUDA_ERROR_INVALID_VALUE};
        }
    });
}

CUresult cuFuncSetAttribute(void *handle, int attribute, int value) {
    return call("cuFuncSetAttribute", [&] {
        Function &f = functionOf(handle);
        if (attribute == 9) return; // how L1 and shared memory divide
        if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) throw Refusal{CUDA_ERROR_INVALID_VALUE};
        if (value < 0 || value + f.staticShared > maxSharedOptIn()) {
            report(format("cuFuncSetAttribute asks for %d bytes of dynamic shared memory beside %d static ones; a block has %d at most",
                          value, f.staticShared, maxSharedOptIn()));
            throw Refusal{CUDA_ERROR_INVALID_VALUE};
        }
        f.maxDynamicShared = value;
    });
}

CUresult cuFuncSetCacheConfig(void *handle, int) {
    return call("cuFuncSetCacheConfig", [&] { functionOf(handle); });
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *handle, int threads, size_t shared) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", [&] {
        Function &f = functionOf(handle);
        int byThreads = threads <= 0 ? 0 : 2048 / threads;
        size_t bytes = shared + static_cast<size_t>(f.staticShared) + 1024;
        int byShared = static_cast<int>(static_cast<size_t>(maxSharedOptIn() + 1024) / bytes);
        *blocks = std::min({byThreads, byShared, 32});
    });
}

CUresult cuLaunchKernel(void *handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned shared, void *streamHandle, void **arguments, void **extra) {
    return call("cuLaunchKernel", [&] {
        Function &function = functionOf(handle);
        Stream &stream = streamOf(streamHandle);
        if (extra != nullptr) throw Refusal{CUDA_ERROR_NOT_SUPPORTED};
        if (failsNow("launch")) throw Refusal{CUDA_ERROR_LAUNCH_FAILED};
        Launch launch{&function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, {}, stream.context};
        checkLimits(launch);
        takeArguments(launch, arguments);
        std::string name = nameOf(function);
        enqueue(stream, name, [launch] { run(launch); });
    });
}

CUresult cuGetErrorName(CUresult error, const char **text);
CUresult cuGetErrorString(CUresult error, const char **text);

} // extern "C"

namespace {

/** Counts at exit what the program did not give back. */
struct Leaks {
    template <class T> static size_t live(const std::unordered_map<void *, std::unique_ptr<T>> &all) {
        size_t n = 0;
        for (auto &entry : all) n += !entry.second->destroyed;
        return n;
    }

    ~Leaks() {
        if (!initialised) return;
        for (const Allocation &a : liveAllocations()) {
            report(format("leak: %zu bytes of device %d", a.bytes, a.device));
        }
        for (auto &entry : pinned) report(format("leak: %zu bytes of pinned host memory", entry.second));
        const std::pair<const char *, size_t> kinds[] = {{"streams", live(streams)}, {"events", live(events)},
                                                         {"modules", live(modules)}, {"graphs", live(graphs)},
                                                         {"graph execs", live(execs)}};
        for (auto &kind : kinds)
            if (kind.second != 0) report(format("leak: %zu %s", kind.second, kind.first));
        for (auto &context : contexts)
            if (context->retained != 0) report(format("leak: the context of device %d, retained %d times", context->device, context->retained));
    }
} leaks;

} // namespace
