package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** Tensors of the same width, one below the other, as one run of rows. */
record StoredRows(List<TensorData> parts) {
    /**
     * Rows that lie together in the checkpoint.
     *
     * @param firstRow of the tensor
     * @param at where they stand among the rows that were asked for
     */
    record Piece(TensorData tensor, long firstRow, int count, int at) {}

    /** Rows {@code first} to {@code first + count}, from the tensors that hold them. */
    List<Piece> pieces(long first, int count) {
        List<Piece> pieces = new ArrayList<>();
        long start = 0;
        for (TensorData part : parts) {
            long from = Math.max(first, start);
            long until = Math.min(first + count, start + part.rowCount());
            if (from < until) {
                pieces.add(
                        new Piece(part, from - start, (int) (until - from), (int) (from - first)));
            }
            start += part.rowCount();
        }
        return pieces;
    }

    /** The one type that pieces are brought to for oneDNN, which has no f16 on every CPU. */
    static DType common(List<Piece> pieces) {
        DType type = pieces.get(0).tensor.type();
        boolean mixed = pieces.stream().anyMatch(p -> p.tensor.type() != type);
        return mixed || type == DType.F16 ? DType.F32 : type;
    }

    int outputs() {
        return Math.toIntExact(parts.stream().mapToLong(TensorData::rowCount).sum());
    }

    int inputs() {
        return Math.toIntExact(parts.get(0).rowLength());
    }
}
