package org.tokenrate.device.cuda;

/**
 * Joins the ranks' parts of the logits on rank 0, some rows at a time, so that what is received
 * takes little memory before it is put in its place.
 */
final class Gather {
    private static final int ROWS_AT_ONCE = 64;
    private static final int THREADS = 256;

    private final GpuContext context;
    private final DeviceMemory memory;
    private final Launcher launcher;
    private final RankLink link;
    private final Kernel place;
    private long received;

    Gather(
            GpuContext context,
            DeviceMemory memory,
            KernelModules modules,
            Launcher launcher,
            RankLink link) {
        this.context = context;
        this.memory = memory;
        this.launcher = launcher;
        this.link = link;
        place = modules.kernel("gather.cu", "place_columns");
    }

    /**
     * @param whole on rank 0: as wide as all parts together
     */
    void run(CudaTensor part, int rows, CudaTensor whole) {
        int[] widths = link.widths(part.columns());
        takeMemory(widths);
        for (int first = 0; first < rows; first += ROWS_AT_ONCE) {
            int count = Math.min(ROWS_AT_ONCE, rows - first);
            exchange(part, first, count, widths);
            if (link.rank() == 0) join(part, first, count, whole, widths);
        }
    }

    private void takeMemory(int[] widths) {
        if (received != 0) return;
        long others = 0;
        for (int r = 0; r < widths.length; r++) others += r == link.rank() ? 0 : widths[r];
        received = memory.allocate(ROWS_AT_ONCE * others * Float.BYTES, "ranks' logits");
    }

    /**
     * Brings every part to every rank, since rings are what NCCL is best at; rank 0 waits for no
     * more than it would if the others sent to it alone.
     */
    private void exchange(CudaTensor part, int first, int rows, int[] widths) {
        link.together(
                () -> {
                    long to = received;
                    for (int r = 0; r < widths.length; r++) {
                        long elements = (long) rows * widths[r];
                        if (r == link.rank()) {
                            link.broadcast(context, r, row(part, first), elements);
                        } else {
                            link.broadcast(context, r, new DevicePointer(to), elements);
                            to += elements * Float.BYTES;
                        }
                    }
                });
    }

    private void join(CudaTensor part, int first, int rows, CudaTensor whole, int[] widths) {
        place(row(part, first).address(), rows, widths[0], whole, first, 0);
        long from = received;
        int column = widths[0];
        for (int r = 1; r < widths.length; r++) {
            place(from, rows, widths[r], whole, first, column);
            from += (long) rows * widths[r] * Float.BYTES;
            column += widths[r];
        }
    }

    private static DevicePointer row(CudaTensor t, int row) {
        return new DevicePointer(t.address() + (long) row * t.columns() * Float.BYTES);
    }

    private void place(long part, int rows, int columns, CudaTensor whole, int row, int column) {
        launcher.pointer(part)
                .pointer(row(whole, row).address())
                .integer(columns)
                .integer(whole.columns())
                .integer(column)
                .launch(place, rows, (columns + THREADS - 1) / THREADS, 1, THREADS);
    }
}
