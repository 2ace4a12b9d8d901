package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import org.tokenrate.device.cpu.MatrixProducts.After;

/**
 * The product of few rows with 4-bit weights as they are: nothing is unpacked but into registers,
 * so that the weights' way from memory is what it costs.
 */
final class FourBitRows {
    private static final int PANEL = FourBitWeights.PANEL;

    private float[] x = new float[0];
    private float[] sums = new float[0];
    private float[] row = new float[0];
    private short[] halves = new short[PANEL];
    private final float[] s = new float[PANEL];
    private final float[] c = new float[PANEL];
    private final float[] part = new float[2 * PANEL];
    private final float[] result = new float[PANEL];
    private final float[] other = new float[PANEL];
    private float[] y = new float[0];

    /** y's columns from {@code firstOutput} on become what {@code after} makes of x W^T. */
    void multiply(
            FourBitWeights weights,
            int rows,
            CpuTensor x,
            CpuTensor y,
            After after,
            CpuTensor factor,
            int firstOutput) {
        read(x, rows, weights.groupSize());
        for (int panel = 0; panel < weights.panels(); panel++) {
            FourBitKernel.multiply(weights, panel, this.x, sums, rows, s, c, part, this.y);
            int outputs = Math.min(PANEL, weights.outputs() - panel * PANEL);
            for (int r = 0; r < rows; r++) {
                write(r, outputs, y, after, factor, firstOutput + panel * PANEL);
            }
        }
    }

    private void read(CpuTensor from, int rows, int groupSize) {
        int inputs = from.columns();
        int groups = inputs / groupSize;
        if (row.length != inputs) {
            row = new float[inputs];
            halves = new short[Math.max(inputs, PANEL)];
        }
        if (x.length < rows * inputs) x = new float[rows * inputs];
        if (sums.length < rows * groups) sums = new float[rows * groups];
        if (y.length < rows * PANEL) y = new float[rows * PANEL];
        for (int r = 0; r < rows; r++) {
            from.toFloats(r, row, halves);
            System.arraycopy(row, 0, x, r * inputs, inputs);
            for (int g = 0; g < groups; g++) {
                float sum = 0;
                for (int i = 0; i < groupSize; i++) sum += row[g * groupSize + i];
                sums[r * groups + g] = sum;
            }
        }
    }

    private void write(
            int r, int outputs, CpuTensor to, After after, CpuTensor factor, int column) {
        System.arraycopy(y, r * PANEL, result, 0, PANEL);
        switch (after) {
            case NOTHING -> {}
            case ADD -> {
                to.get(r, column, other, 0, outputs);
                for (int i = 0; i < outputs; i++) result[i] += other[i];
            }
            case SILU -> silu(result);
            case MULTIPLY -> {
                factor.get(r, column, other, 0, outputs);
                for (int i = 0; i < outputs; i++) result[i] *= other[i];
            }
        }
        to.convert(r, column, result, outputs, halves);
    }

    private static void silu(float[] x) {
        for (int i = 0; i < PANEL; i += Vectors.LANES) {
            FloatVector v = FloatVector.fromArray(Vectors.F, x, i);
            v.div(Vectors.exp(v.neg()).add(1f)).intoArray(x, i);
        }
    }
}
