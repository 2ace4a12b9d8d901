package org.tokenrate.device.cuda;

/** The kernels that are the same for every head size. */
final class TypeKernels {
    private static final int EMBED_THREADS = 128;
    private static final int NORM_THREADS = 256;
    private static final int ELEMENT_THREADS = 128;
    private static final int ELEMENTS_A_BLOCK = 8 * ELEMENT_THREADS;
    private static final int SAMPLE_THREADS = 1024;

    private final Launcher launcher;
    private final Kernel embed;
    private final Kernel rmsNorm;
    private final Kernel addRmsNorm;
    private final Kernel addBias;
    private final Kernel siluMultiply;
    private final Kernel sample;

    TypeKernels(KernelModules modules, Launcher launcher) {
        this.launcher = launcher;
        embed = modules.kernel("embedding.cu", "embed");
        rmsNorm = modules.kernel("norm.cu", "rms_norm");
        addRmsNorm = modules.kernel("norm.cu", "add_rms_norm");
        addBias = modules.kernel("elementwise.cu", "add_bias");
        siluMultiply = modules.kernel("elementwise.cu", "silu_multiply");
        sample = modules.kernel("sampling.cu", "sample");
    }

    /**
     * @param tokens on the device
     */
    void embed(CudaTable table, long tokens, int rows, CudaTensor x) {
        launcher.pointer(table.address())
                .pointer(tokens)
                .pointer(x.address())
                .integer(table.columns())
                .launch(embed, rows, 1, 1, EMBED_THREADS);
    }

    /**
     * @param index rows of x on the device; 0 for all as they come
     */
    void rmsNorm(CudaTensor x, long index, CudaTable weight, float eps, int rows, CudaTensor out) {
        launcher.pointer(x.address())
                .pointer(index)
                .pointer(weight.address())
                .pointer(out.address())
                .integer(x.columns())
                .real(eps)
                .launch(rmsNorm, rows, 1, 1, NORM_THREADS);
    }

    /**
     * Adds a product to the residual stream and norms it.
     *
     * @param index rows of x on the device, for which the sum is not kept; 0 for all as they come
     */
    void addRmsNorm(
            CudaResidual x, long index, CudaTable weight, float eps, int rows, CudaTensor out) {
        launcher.pointer(x.sum().address())
                .pointer(x.product().address())
                .pointer(index)
                .pointer(weight.address())
                .pointer(out.address())
                .integer(out.columns())
                .real(eps)
                .launch(addRmsNorm, rows, 1, 1, NORM_THREADS);
    }

    void addBias(CudaTensor y, long bias, int rows) {
        int columns = y.columns();
        launcher.pointer(y.address())
                .pointer(bias)
                .integer(columns)
                .launch(addBias, rows, blocks(columns), 1, ELEMENT_THREADS);
    }

    /** {@code out = silu(gate) * up}; up may be out. */
    void siluMultiply(CudaTensor gate, CudaTensor up, CudaTensor out, int rows) {
        int columns = out.columns();
        launcher.pointer(gate.address())
                .pointer(up.address())
                .pointer(out.address())
                .integer(columns)
                .integer(columns)
                .launch(siluMultiply, rows, blocks(columns), 1, ELEMENT_THREADS);
    }

    private static int blocks(int columns) {
        return (columns + ELEMENTS_A_BLOCK - 1) / ELEMENTS_A_BLOCK;
    }

    /**
     * @param chosen {@code [rows]} ints on the device
     */
    void sample(CudaTensor logits, BatchStage batch, int rows, long chosen) {
        launcher.pointer(logits.address())
                .integer(logits.columns())
                .integer(1) // one shard: the ranks' parts are joined already
                .wide(0)
                .pointer(batch.topK())
                .pointer(batch.topP())
                .pointer(batch.temperature())
                .pointer(batch.seed())
                .pointer(batch.samplePosition())
                .pointer(chosen)
                .launch(sample, rows, 1, 1, SAMPLE_THREADS);
    }
}
