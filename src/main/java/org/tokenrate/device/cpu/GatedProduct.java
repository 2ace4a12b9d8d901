package org.tokenrate.device.cpu;

import org.tokenrate.device.cpu.MatrixProducts.After;

// out = silu(x G^T) * (x U^T)
// x: [rows, inputs] dtype; gated: [rows, n] f32, in between; out: [rows, n] dtype.
// An item is a slice of both: a thread's gated columns are still near its core when it multiplies.
final class GatedProduct implements Team.Task {
    private SlicedMatrix gate;
    private SlicedMatrix up;

    void run(
            Team team,
            CpuTensor x,
            SlicedMatrix gate,
            SlicedMatrix up,
            int rows,
            CpuTensor gated,
            CpuTensor out) {
        this.gate = gate;
        this.up = up;
        gate.prepare(rows, x, gated, After.SILU, gated);
        up.prepare(rows, x, out, After.MULTIPLY, gated);
        team.run(this, gate.sliceCount());
    }

    @Override
    public void run(int item, int thread) {
        gate.run(item, thread);
        up.run(item, thread);
    }
}
