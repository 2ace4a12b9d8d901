package org.tokenrate.device.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.checkpoint.DType;

/** The kernels on one device: compiled for it, or from the cache, and loaded. */
final class KernelModules implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KernelModules.class);

    private final Gpu gpu;
    private final List<String> typeOption;
    private final CubinCache cache;
    private final String compiler;
    private final Map<String, CUmod_st> modules = new HashMap<>();

    /**
     * @param dtype F16 or BF16
     */
    KernelModules(Gpu gpu, DType dtype, CubinCache cache) {
        this.gpu = gpu;
        this.cache = cache;
        typeOption = List.of("-DTR_TYPE_" + dtype.name() + "=1");
        CudaLibrary.NVRTC.require();
        compiler = KernelCompiler.version();
    }

    String compilerVersion() {
        return compiler;
    }

    /** A kernel of a source that is the same for every head size. */
    Kernel kernel(String file, String name) {
        return kernel(file, name, typeOption);
    }

    /** A kernel of a source that is compiled for a head size. */
    Kernel kernel(String file, String name, int headDim) {
        return kernel(file, name, headOptions(headDim));
    }

    /** Loads a source's kernels for a head size, if they are not. */
    void load(String file, int headDim) {
        module(file, headOptions(headDim));
    }

    private List<String> headOptions(int headDim) {
        List<String> options = new ArrayList<>(typeOption);
        options.add("-DTR_HEAD_DIM=" + headDim);
        return options;
    }

    private CUmod_st module(String file, List<String> options) {
        return modules.computeIfAbsent(file + options, f -> load(file, options));
    }

    private Kernel kernel(String file, String name, List<String> options) {
        CUmod_st module = module(file, options);
        CUfunc_st function = new CUfunc_st();
        Status.driver(
                cudart.cuModuleGetFunction(function, module, name),
                "cuModuleGetFunction of " + name);
        return new Kernel(name, function);
    }

    private CUmod_st load(String file, List<String> options) {
        KernelSource source = KernelSource.read(file);
        String key = CubinCache.key(source, gpu.name(), gpu.architecture(), compiler, options);
        Optional<byte[]> kept = cache.get(key);
        if (kept.isPresent()) return load(file, kept.get());
        long start = System.nanoTime();
        byte[] cubin = KernelCompiler.compile(source, gpu.architecture(), options);
        LOG.info(
                "Compiled {} for {} in {} ms",
                file,
                gpu.architecture(),
                (System.nanoTime() - start) / 1_000_000);
        CUmod_st module = load(file, cubin);
        cache.put(key, cubin);
        return module;
    }

    private static CUmod_st load(String file, byte[] cubin) {
        CUmod_st module = new CUmod_st();
        try (BytePointer image = new BytePointer(cubin)) {
            Status.driver(cudart.cuModuleLoadData(module, image), "cuModuleLoadData of " + file);
        }
        return module;
    }

    @Override
    public void close() {
        modules.values().forEach(m -> GpuContext.warn(cudart.cuModuleUnload(m), "cuModuleUnload"));
        modules.clear();
    }
}
