package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

// out[i, :] = x[index[i], :] * weight / sqrt(mean(x[index[i], :]^2) + eps)
// x: [tokens, hidden] f32; weight: [hidden]; out: [rows, hidden] dtype. One item a block of rows.
final class RmsNorm implements Team.Task {
    private final Scratch[] scratch;
    private CpuTensor x;
    private CpuTensor out;
    private int[] index;
    private float[] weight = new float[0];
    private float eps;
    private int rows;
    private int rowsPerItem;

    RmsNorm(Scratch[] scratch) {
        this.scratch = scratch;
    }

    /**
     * @param index rows of x to take, or an empty array for all in order
     */
    void run(
            Team team,
            CpuTensor x,
            int[] index,
            float[] weight,
            float eps,
            int rows,
            CpuTensor out) {
        this.x = x;
        this.index = index;
        this.weight = weight;
        this.eps = eps;
        this.rows = rows;
        this.out = out;
        rowsPerItem = RowItems.rowsPerItem(rows, x.columns(), team.threads());
        team.run(this, RowItems.count(rows, rowsPerItem));
    }

    @Override
    public void run(int item, int thread) {
        Scratch s = scratch[thread];
        int columns = x.columns();
        s.ensure(columns);
        int end = Math.min(rows, (item + 1) * rowsPerItem);
        for (int row = item * rowsPerItem; row < end; row++) {
            x.get(index.length == 0 ? row : index[row], 0, s.a, 0, columns);
            normalize(s.a, 0, weight, eps, columns);
            out.convert(row, 0, s.a, columns, s.halves);
        }
    }

    /** Norms {@code n} elements in place. */
    static void normalize(float[] x, int offset, float[] weight, float eps, int n) {
        float scale = (float) (1 / Math.sqrt(sumOfSquares(x, offset, n) / n + eps));
        scale(x, offset, weight, scale, n);
    }

    static float sumOfSquares(float[] x, int offset, int n) {
        int lanes = Vectors.LANES;
        FloatVector sum0 = FloatVector.zero(Vectors.F);
        FloatVector sum1 = FloatVector.zero(Vectors.F);
        int i = 0;
        for (; i <= n - 2 * lanes; i += 2 * lanes) {
            FloatVector x0 = FloatVector.fromArray(Vectors.F, x, offset + i);
            FloatVector x1 = FloatVector.fromArray(Vectors.F, x, offset + i + lanes);
            sum0 = x0.fma(x0, sum0);
            sum1 = x1.fma(x1, sum1);
        }
        float sum = sum0.add(sum1).reduceLanes(VectorOperators.ADD);
        for (; i < n; i++) sum += x[offset + i] * x[offset + i];
        return sum;
    }

    private static void scale(float[] x, int offset, float[] weight, float scale, int n) {
        int i = 0;
        for (; i <= n - Vectors.LANES; i += Vectors.LANES) {
            FloatVector.fromArray(Vectors.F, x, offset + i)
                    .mul(scale)
                    .mul(FloatVector.fromArray(Vectors.F, weight, i))
                    .intoArray(x, offset + i);
        }
        for (; i < n; i++) x[offset + i] = x[offset + i] * scale * weight[i];
    }
}
