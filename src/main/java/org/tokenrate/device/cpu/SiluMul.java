package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;

// out[t, i] = g / (1 + e^-g) * u
// gateUp: [tokens, 2n] f32, slice by slice of the matrix that made it: a slice's g, then its u;
// out: [tokens, n] dtype. An item is a slice: what a thread's product left near its core is read
// there.
final class SiluMul implements Team.Task {
    private final Scratch[] scratch;
    private CpuTensor gateUp;
    private CpuTensor out;
    private int rows;
    private int sliceColumns;

    SiluMul(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void run(Team team, CpuTensor gateUp, int rows, CpuTensor out) {
        this.gateUp = gateUp;
        this.rows = rows;
        this.out = out;
        sliceColumns = CpuMatrix.sliceOutputs(out.columns(), team.threads());
        team.run(this, (out.columns() + sliceColumns - 1) / sliceColumns);
    }

    @Override
    public void run(int item, int thread) {
        Scratch s = scratch[thread];
        int first = item * sliceColumns;
        int n = Math.min(sliceColumns, out.columns() - first);
        s.ensure(n);
        for (int row = 0; row < rows; row++) {
            gateUp.get(row, 2 * first, s.a, 0, n);
            gateUp.get(row, 2 * first + n, s.b, 0, n);
            siluMul(s.a, s.b, n);
            out.convert(row, first, s.a, n, s.halves);
        }
    }

    private static void siluMul(float[] gate, float[] up, int n) {
        int i = 0;
        for (; i <= n - Vectors.LANES; i += Vectors.LANES) {
            FloatVector g = FloatVector.fromArray(Vectors.F, gate, i);
            FloatVector u = FloatVector.fromArray(Vectors.F, up, i);
            g.mul(u).div(Vectors.exp(g.neg()).add(1f)).intoArray(gate, i);
        }
        for (; i < n; i++) gate[i] = gate[i] * up[i] / (Vectors.exp(-gate[i]) + 1f);
    }
}
