// The driver's calls for modules and kernels.
#include "driver.h"
#include <algorithm>

using namespace softgpu;

extern "C" {

CUresult cuModuleLoadData(void **handle, const void *image) {
    return call("cuModuleLoadData", [&] {
        auto module = loadModule(currentContext(), image);
        *handle = &add(modules, std::move(module));
    });
}
CUresult cuModuleLoadDataEx(void **handle, const void *image, unsigned, int *, void **) { return cuModuleLoadData(handle, image); }

CUresult cuModuleUnload(void *handle) {
    return giveBack("cuModuleUnload", [&] {
        Module &module = find(modules, handle, "module");
        demandAll(*module.context);
        module.destroyed = true; // stays mapped, for reports and for stale pointers
    });
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

} // extern "C"
