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
        for (int first = 0; first < rows; first += ROWS_AT_ONCE) {
            int count = Math.min(ROWS_AT_ONCE, rows - first);
            if (link.rank() > 0) {
                link.send(context, row(part, first), (long) count * part.columns());
            } else {
                join(part, first, count, whole, widths);
            }
        }
    }

    private void join(CudaTensor part, int first, int count, CudaTensor whole, int[] widths) {
        int others = whole.columns() - part.columns();
        if (received == 0) {
            received =
                    memory.allocate((long) ROWS_AT_ONCE * others * Float.BYTES, "ranks' logits");
        }
        link.together(
                () -> {
                    long to = received;
                    for (int r = 1; r < widths.length; r++) {
                        long elements = (long) count * widths[r];
                        link.receive(context, r, new DevicePointer(to), elements);
                        to += elements * Float.BYTES;
                    }
                });
        place(row(part, first).address(), count, widths[0], whole, first, 0);
        long from = received;
        int column = widths[0];
        for (int r = 1; r < widths.length; r++) {
            place(from, count, widths[r], whole, first, column);
            from += (long) count * widths[r] * Float.BYTES;
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
