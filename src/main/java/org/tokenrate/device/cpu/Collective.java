package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;

// allReduce: x_r[t, :] = sum over ranks s of x_s[t, :], for every rank r; x: [rows, columns] f32.
// Each rank sums its part of the elements, always in the order of the ranks, and writes the sums to
// every rank's tensor (reduce-scatter and all-gather in one pass): all get the same bits.
// gather: whole[t, :] = part_0[t, :], part_1[t, :], ... on rank 0, which copies while the others
// wait.
// One rank's side of both; an item is a piece of the rank's part of the sum.
final class Collective implements Team.Task {
    /** Elements that are summed at a time: they stay in the first cache. */
    private static final int BLOCK = 2048;

    /** Elements of a cache line, which two threads must not share. */
    private static final int LINE = 16;

    private final RankGroup group;
    private final int rank;
    private final float[][] sums;
    private final float[][] terms;
    private long meetings;
    private int elements;
    private int pieces;

    /**
     * @param threads of this rank
     */
    Collective(RankGroup group, int rank, int threads) {
        this.group = group;
        this.rank = rank;
        int block = group.ranks() > 1 ? BLOCK : 0;
        sums = new float[threads][block];
        terms = new float[threads][block];
    }

    int rank() {
        return rank;
    }

    int ranks() {
        return group.ranks();
    }

    void allReduce(Team team, CpuTensor x, int rows) {
        if (group.ranks() == 1) return;
        elements = rows * x.columns();
        int items = Math.min(team.threads(), elements / (group.ranks() * BLOCK) + 1);
        pieces = group.ranks() * items;
        group.show(rank, x);
        group.meet(++meetings); // all products are there
        team.run(this, items);
        group.meet(++meetings); // all sums are there
    }

    @Override
    public void run(int item, int thread) {
        int piece = rank * (pieces / group.ranks()) + item;
        int end = boundary(piece + 1);
        for (int i = boundary(piece); i < end; i += BLOCK) {
            sum(i, Math.min(BLOCK, end - i), sums[thread], terms[thread]);
        }
    }

    /** The first element of a piece. */
    private int boundary(int piece) {
        long lines = (elements + LINE - 1) / LINE;
        return (int) Math.min(elements, lines * piece / pieces * LINE);
    }

    private void sum(int from, int count, float[] sum, float[] term) {
        group.shown(0).get(0, from, sum, 0, count);
        for (int r = 1; r < group.ranks(); r++) {
            group.shown(r).get(0, from, term, 0, count);
            add(term, sum, count);
        }
        for (int r = 0; r < group.ranks(); r++) group.shown(r).put(0, from, sum, 0, count);
    }

    private static void add(float[] x, float[] sum, int n) {
        int i = 0;
        for (; i <= n - Vectors.LANES; i += Vectors.LANES) {
            FloatVector.fromArray(Vectors.F, sum, i)
                    .add(FloatVector.fromArray(Vectors.F, x, i))
                    .intoArray(sum, i);
        }
        for (; i < n; i++) sum[i] += x[i];
    }

    void gather(CpuTensor part, int rows, CpuTensor whole) {
        if (group.ranks() == 1) return;
        group.show(rank, part);
        group.meet(++meetings); // all parts are there
        if (rank == 0) join(rows, whole);
        group.meet(++meetings); // and may be overwritten
    }

    private void join(int rows, CpuTensor whole) {
        int column = 0;
        for (int r = 0; r < group.ranks(); r++) {
            CpuTensor part = group.shown(r);
            for (int row = 0; row < rows; row++) whole.putRow(row, column, part);
            column += part.columns();
        }
    }

    void abort() {
        group.abort();
    }
}
