package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;

// out[t, i] = g / (1 + e^-g) * u,  g = gateUp[t, i], u = gateUp[t, n + i]
// gateUp: [tokens, 2n] f32; out: [tokens, n] dtype. One item a block of rows.
final class SiluMul implements Team.Task {
    private final Scratch[] scratch;
    private CpuTensor gateUp;
    private CpuTensor out;
    private int rows;
    private int rowsPerItem;

    SiluMul(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void run(Team team, CpuTensor gateUp, int rows, CpuTensor out) {
        this.gateUp = gateUp;
        this.rows = rows;
        this.out = out;
        rowsPerItem = RowItems.rowsPerItem(rows, out.columns(), team.threads());
        team.run(this, RowItems.count(rows, rowsPerItem));
    }

    @Override
    public void run(int item, int thread) {
        Scratch s = scratch[thread];
        int n = out.columns();
        s.ensure(n);
        int end = Math.min(rows, (item + 1) * rowsPerItem);
        for (int row = item * rowsPerItem; row < end; row++) {
            gateUp.get(row, 0, s.a, 0, n);
            gateUp.get(row, n, s.b, 0, n);
            siluMul(s.a, s.b, n);
            out.convert(row, 0, s.a, n, s.halves);
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
