package org.tokenrate.device.cpu;

// x[t, :] = table[tokens[t], :]      table: [vocabulary, hidden]; x: [tokens, hidden] f32
final class Embed implements Team.Task {
    private final Scratch[] scratch;
    private CpuTable table;
    private int[] tokens = new int[0];
    private CpuTensor x;
    private int rows;
    private int rowsPerItem;

    Embed(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void run(Team team, CpuTable table, int[] tokens, int rows, CpuTensor x) {
        this.table = table;
        this.tokens = tokens;
        this.rows = rows;
        this.x = x;
        rowsPerItem = RowItems.rowsPerItem(rows, x.columns(), team.threads());
        team.run(this, RowItems.count(rows, rowsPerItem));
    }

    @Override
    public void run(int item, int thread) {
        Scratch s = scratch[thread];
        s.ensure(x.columns());
        int end = Math.min(rows, (item + 1) * rowsPerItem);
        for (int row = item * rowsPerItem; row < end; row++) {
            table.row(tokens[row], s.a, s.halves);
            x.put(row, 0, s.a, 0, x.columns());
        }
    }
}
