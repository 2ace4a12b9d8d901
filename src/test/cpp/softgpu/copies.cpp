// The driver's calls for memory.
#include "driver.h"
#include <cstdlib>
#include <cstring>

using namespace softgpu;

extern "C" {

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
    return giveBack("cuMemFree", [&] {
        Context &context = currentContext();
        if (pointer == 0) return;
        requireNoCapture(context, "cuMemFree");
        demandAll(context);
        release(pointer, context.device);
    });
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
    return giveBack("cuMemFreeHost", [&] {
        currentContext();
        auto found = pinned.find(reinterpret_cast<uintptr_t>(pointer));
        if (found == pinned.end()) {
            report("cuMemFreeHost of memory that cuMemAllocHost did not give, or that was freed before");
            throw Refusal{CUDA_ERROR_INVALID_VALUE};
        }
        for (auto &c : contexts) demandAll(*c); // as the driver, which waits
        pinned.erase(found);
        free(pointer);
    });
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

} // extern "C"
