package org.tokenrate.device.cpu;

import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.cpu.MatrixProducts.After;

/**
 * A weight matrix, cut by its outputs into a slice a thread, and its product with an input: every
 * thread multiplies the whole input with its own slice. As a task, item i is the product of slice
 * i.
 */
abstract sealed class SlicedMatrix implements Matrix, Team.Task permits CpuMatrix, FourBitMatrix {
    /** Stands where a product needs no other tensor. */
    static final CpuTensor NONE = new CpuTensor(1, 1, DType.F32);

    /** Outputs of each slice but the last: whole vectors, a slice a thread. */
    static int sliceOutputs(int outputs, int threads) {
        int share = (outputs + threads - 1) / threads;
        int unit = share >= 64 ? 64 : 16;
        return (share + unit - 1) / unit * unit;
    }

    /** y = x W^T, or y += x W^T; x: [rows, inputs], y: [rows, outputs] f32. */
    final void multiply(Team team, CpuTensor x, int rows, CpuTensor y, boolean accumulate) {
        prepare(rows, x, y, accumulate ? After.ADD : After.NOTHING, NONE);
        team.run(this, sliceCount());
    }

    /** Readies every slice for {@link #run}. */
    abstract void prepare(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor);

    abstract int sliceCount();

    abstract void free();
}
