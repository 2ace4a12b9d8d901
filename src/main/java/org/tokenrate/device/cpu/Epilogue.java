package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import org.tokenrate.device.cpu.MatrixProducts.After;

/** What comes after a product's sums where a kernel of ours has made them: bias, {@link After}. */
final class Epilogue {
    private float[] row = new float[0];
    private short[] halves = new short[0];

    /** Where results go, and what becomes of sums before. */
    record Target(CpuTensor y, After after, CpuTensor factor) {}

    /**
     * Finishes and stores one row.
     *
     * @param bias one for each output of the matrix, or none at all
     * @param sums of {@code outputs} outputs from {@code at} on, with room for whole vectors;
     *     overwritten
     * @param column the matrix's output that the first sum is of
     */
    void run(Target target, int r, float[] bias, float[] sums, int at, int column, int outputs) {
        int width = (outputs + Vectors.LANES - 1) / Vectors.LANES * Vectors.LANES;
        if (row.length < width) {
            row = new float[width];
            halves = new short[width];
        }
        if (bias.length > 0) {
            for (int i = 0; i < outputs; i++) sums[at + i] += bias[column + i];
        }
        switch (target.after) {
            case NOTHING -> {}
            case ADD -> {
                target.y.get(r, column, row, 0, outputs);
                for (int i = 0; i < outputs; i++) sums[at + i] += row[i];
            }
            case SILU -> silu(sums, at, width);
            case MULTIPLY -> {
                target.factor.get(r, column, row, 0, outputs);
                for (int i = 0; i < outputs; i++) sums[at + i] *= row[i];
            }
        }
        System.arraycopy(sums, at, row, 0, outputs);
        target.y.convert(r, column, row, outputs, halves);
    }

    private static void silu(float[] x, int at, int count) {
        for (int i = at; i < at + count; i += Vectors.LANES) {
            FloatVector v = FloatVector.fromArray(Vectors.F, x, i);
            v.div(Vectors.exp(v.neg()).add(1f)).intoArray(x, i);
        }
    }
}
