package org.tokenrate.device.cpu;

import java.util.Arrays;
import org.tokenrate.checkpoint.DType;

/**
 * What slice i of every 4-bit matrix works in. Slices of different numbers run at the same time;
 * those of the same number one after the other.
 */
final class FourBitScratch {
    private static final int PANEL = FourBitWeights.PANEL;

    /** Two rows' products with a panel. */
    private final float[] part = new float[2 * PANEL];

    private final FourBitTile tile;
    private final Epilogue epilogue = new Epilogue();
    private float[] row = new float[0];
    private short[] halves = new short[0];
    private float[] reordered = new float[0];
    private float[] starts = new float[0];
    private float[] inputSums = new float[0];
    private float[] scales = new float[0];
    private float[] offsets = new float[0];
    private float[] sums = new float[0];

    FourBitScratch(DType dtype) {
        tile = new FourBitTile(dtype);
    }

    /**
     * What a product reads and writes.
     *
     * @param bucket rows that may be computed, at least {@code rows}
     * @param bias one for each output of the matrix, or none at all
     */
    record Call(int rows, int bucket, CpuTensor x, Epilogue.Target target, float[] bias) {}

    /** Few rows: the weights are unpacked but into registers, for two rows at a time. */
    void multiplyDirectly(FourBitWeights weights, Call call, int firstOutput) {
        int inputs = weights.inputs();
        reordered = atLeast(reordered, call.rows * inputs);
        readInputs(weights, call, true);
        int width = weights.panels() * PANEL;
        readScales(weights, 0, weights.panels(), 0);
        sums = atLeast(sums, call.rows * width);
        Arrays.fill(sums, 0, call.rows * width, 0);
        FourBitKernel.multiply(weights, reordered, starts, call.rows, scales, part, sums);
        finish(weights, call, width, firstOutput, weights.outputs());
    }

    /** Many rows: the weights are unpacked tile by tile, once for all rows. */
    void multiplyByTiles(FourBitWeights weights, Call call, int firstOutput) {
        readInputs(weights, call, false);
        int step = FourBitTile.panelsAtATime(weights.panels(), call.bucket);
        for (int panel = 0; panel < weights.panels(); panel += step) {
            int panels = Math.min(step, weights.panels() - panel);
            int width = panels * PANEL;
            readScales(weights, panel, panels, FourBitKernel.EXPANDED_BASE);
            sums = atLeast(sums, call.rows * width);
            tile.multiply(weights, panel, panels, call.x, call.rows, call.bucket, scales, sums);
            int outputs = Math.min(width, weights.outputs() - panel * PANEL);
            finish(weights, call, width, firstOutput + panel * PANEL, outputs);
        }
    }

    private static float[] atLeast(float[] array, int length) {
        return array.length >= length ? array : new float[length];
    }

    private void readInputs(FourBitWeights weights, Call call, boolean reorder) {
        int inputs = weights.inputs();
        int size = weights.groupSize();
        int groups = inputs / size;
        row = atLeast(row, inputs);
        if (reorder) starts = atLeast(starts, 2 * call.rows * groups);
        if (halves.length < inputs) halves = new short[inputs];
        inputSums = atLeast(inputSums, call.rows * groups);
        for (int r = 0; r < call.rows; r++) {
            call.x.toFloats(r, row, halves);
            if (reorder) FourBitKernel.reorder(row, inputs, reordered, r * inputs);
            for (int g = 0; g < groups; g++) {
                int at = g * size;
                int group = r * groups + g;
                inputSums[group] = FourBitKernel.sum(row, at, size);
                if (reorder) {
                    FourBitKernel.starts(reordered, r * inputs + at, size, starts, 2 * group);
                }
            }
        }
    }

    /** {@code base}: what the products' numbers are above q. */
    private void readScales(FourBitWeights weights, int panel, int panels, float base) {
        int groups = weights.inputs() / weights.groupSize();
        int width = panels * PANEL;
        scales = atLeast(scales, groups * width);
        offsets = atLeast(offsets, groups * width);
        for (int p = 0; p < panels; p++) {
            for (int g = 0; g < groups; g++) {
                int at = g * width + p * PANEL;
                FourBitKernel.scales(weights, panel + p, g, base, scales, offsets, at);
            }
        }
    }

    /** Adds the zero points' part and the bias, and writes what {@code after} makes of it. */
    private void finish(FourBitWeights weights, Call call, int width, int column, int outputs) {
        int groups = weights.inputs() / weights.groupSize();
        FourBitKernel.addOffsets(inputSums, groups, call.rows, offsets, sums, width);
        for (int r = 0; r < call.rows; r++) {
            epilogue.run(call.target, r, call.bias, sums, r * width, column, outputs);
        }
    }

    void free() {
        tile.free();
    }
}
