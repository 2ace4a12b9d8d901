package org.tokenrate.checkpoint;

/**
 * A query or key projection of Meta's, its rows in Hugging Face's order. Both turn the same pairs
 * of outputs; Meta keeps a pair's two rows together, Hugging Face keeps the first rows of all pairs
 * in the first half of the head. So, within a head, row {@code p * headDim / 2 + j} here is row
 * {@code 2 j + p} there (p is 0 or 1).
 */
public final class HalfSplitRows extends GatheredData {
    private final TensorData interleaved;
    private final int headDim;

    /**
     * @param interleaved {@code [heads headDim, columns]}
     */
    public HalfSplitRows(TensorData interleaved, int headDim) {
        super(interleaved.name(), interleaved.type(), interleaved.shape());
        this.interleaved = interleaved;
        this.headDim = headDim;
    }

    private long interleavedRow(long row) {
        long within = row % headDim;
        long half = headDim / 2;
        return row - within + 2 * (within % half) + within / half;
    }

    @Override
    Run run(long element) {
        long column = element % rowLength();
        long row = interleavedRow(element / rowLength());
        return new Run(interleaved, row * rowLength() + column, rowLength() - column);
    }
}
