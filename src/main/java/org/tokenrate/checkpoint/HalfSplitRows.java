package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;

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

    private int interleavedRow(int row) {
        int half = headDim / 2;
        return 2 * (row % half) + row / half;
    }

    @Override
    void gather(long from, long to, ByteBuffer out) throws IOException {
        int rowBytes = (int) rowBytes();
        int at = 0;
        for (long head = from / headDim; head * headDim < to; head++) {
            long first = head * headDim;
            ByteBuffer rows = interleaved.rows(first, first + headDim);
            int start = (int) Math.max(0, from - first);
            int end = (int) Math.min(headDim, to - first);
            for (int row = start; row < end; row++, at += rowBytes) {
                out.put(at, rows, interleavedRow(row) * rowBytes, rowBytes);
            }
        }
    }
}
