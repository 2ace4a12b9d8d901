package org.tokenrate.device.cuda;

import org.tokenrate.checkpoint.DType;

/** Products with 4-bit weights as they are, for few rows; for more they are made dense first. */
final class FourBitKernels {
    /**
     * Rows up to which weights are used as they are: they are read once for 8 rows, and a dense
     * copy would be written and read again.
     */
    static final int MOST_ROWS = 16;

    private static final int THREADS = 256;
    private static final int ROWS_AT_ONCE = 8;
    private static final int INPUT_TILES_A_BLOCK = 8;

    private final KernelModules modules;
    private final Launcher launcher;
    private Kernel multiply;
    private Kernel multiplyF32;
    private Kernel dequantize;

    /** Compiles nothing yet: most models have no such weights. */
    FourBitKernels(KernelModules modules, Launcher launcher) {
        this.modules = modules;
        this.launcher = launcher;
    }

    /** Compiles and loads them, if they are not; before the first product. */
    void load() {
        if (multiply != null) return;
        multiply = modules.kernel(FourBitLoader.SOURCE, "awq_multiply");
        multiplyF32 = modules.kernel(FourBitLoader.SOURCE, "awq_multiply_f32");
        dequantize = modules.kernel(FourBitLoader.SOURCE, "awq_dequantize");
    }

    void multiply(CudaTensor x, FourBitMatrix w, int rows, CudaTensor y) {
        Kernel kernel = y.type() == DType.F32 ? multiplyF32 : multiply;
        launcher.pointer(x.address())
                .pointer(w.nibbles())
                .pointer(w.groups())
                .pointer(w.bias())
                .pointer(y.address())
                .integer(rows)
                .integer(w.inputs())
                .integer(w.outputs())
                .integer(w.groupSize())
                .launch(
                        kernel,
                        w.outputTiles(),
                        (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
                        1,
                        THREADS);
    }

    /** The weights in the device's type, {@code [outputs, inputs]}. */
    void dequantize(FourBitMatrix w, DevicePointer dense) {
        launcher.pointer(w.nibbles())
                .pointer(w.groups())
                .pointer(dense.address())
                .integer(w.inputs())
                .integer(w.outputs())
                .integer(w.groupSize())
                .launch(
                        dequantize,
                        w.outputTiles(),
                        (w.inputTiles() + INPUT_TILES_A_BLOCK - 1) / INPUT_TILES_A_BLOCK,
                        1,
                        THREADS);
    }
}
