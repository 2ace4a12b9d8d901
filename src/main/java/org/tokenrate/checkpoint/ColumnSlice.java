package org.tokenrate.checkpoint;

/** Some columns of a matrix, side by side, as a matrix of their own. */
final class ColumnSlice extends GatheredData {
    private final TensorData whole;
    private final long from;

    /**
     * Columns {@code from} to {@code to} (exclusive).
     *
     * @throws IllegalArgumentException if the matrix does not have them
     */
    ColumnSlice(TensorData whole, long from, long to) {
        super(whole.name(), whole.type(), whole.rowCount(), to - from);
        if (from < 0 || from >= to || to > whole.rowLength()) {
            throw new IllegalArgumentException(
                    "%s has no columns %d to %d".formatted(whole.name(), from, to));
        }
        this.whole = whole;
        this.from = from;
    }

    @Override
    Run run(long element) {
        long row = element / rowLength();
        long column = element % rowLength();
        return new Run(whole, row * whole.rowLength() + from + column, rowLength() - column);
    }
}
