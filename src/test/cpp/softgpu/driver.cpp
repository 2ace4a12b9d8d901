// The driver's devices and contexts, and what all of its calls have in common.
#include "driver.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace softgpu {

std::vector<std::unique_ptr<Context>> &contexts = *new std::vector<std::unique_ptr<Context>>;
Table<Stream> &streams = *new Table<Stream>;
Table<Event> &events = *new Table<Event>;
Table<Graph> &graphs = *new Table<Graph>;
Table<GraphExec> &execs = *new Table<GraphExec>;
Table<Module> &modules = *new Table<Module>;
std::map<uintptr_t, size_t> &pinned = *new std::map<uintptr_t, size_t>;

namespace {

thread_local Context *current = nullptr;
bool initialised = false;

void log(const char *name, CUresult result) {
    if (settings().log) fprintf(stderr, "softgpu: %s -> %d\n", name, result);
}


/** From the call on that SOFTGPU_FAIL=lost:N names. */
bool lost = false;

void countTowardsLoss() {
    if (!failsNow("lost")) return;
    lost = true;
    for (auto &context : contexts) context->sticky = CUDA_ERROR_DEVICE_UNAVAILABLE; // nothing that is queued will be done
}

} // namespace

void requireDevice(int device) {
    if (device < 0 || device >= settings().devices) throw Refusal{CUDA_ERROR_INVALID_DEVICE};
}

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
        countTowardsLoss();
        if (lost) throw Refusal{CUDA_ERROR_DEVICE_UNAVAILABLE};
        if (needsContext) finish(currentContext());
        body();
    } catch (const Refusal &refusal) {
        result = refusal.code;
    }
    log(name, result);
    return result;
}

CUresult giveBack(const char *name, const std::function<void()> &body) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    CUresult result = CUDA_SUCCESS;
    try {
        if (!initialised) throw Refusal{CUDA_ERROR_NOT_INITIALIZED};
        countTowardsLoss();
        body();
        if (current != nullptr && !current->destroyed) result = current->sticky;
    } catch (const Refusal &refusal) {
        result = refusal.code;
    }
    if (lost) result = CUDA_ERROR_DEVICE_UNAVAILABLE;
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

using namespace softgpu;

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
        c.retained++;
        c.destroyed = false;
        *context = &c;
    }, false);
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return giveBack("cuDevicePrimaryCtxRelease", [&] {
        requireDevice(device);
        Context &c = primaryContext(device);
        if (c.retained == 0) {
            report("cuDevicePrimaryCtxRelease of a context that is not retained");
            throw Refusal{CUDA_ERROR_INVALID_CONTEXT};
        }
        if (--c.retained == 0) {
            demandAll(c);
            c.destroyed = true;
            c.sticky = CUDA_SUCCESS; // a device would be lost to the process, but here more tests follow
        }
    });
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
