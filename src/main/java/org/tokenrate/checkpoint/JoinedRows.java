package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Parts of the same shape, one below the other; of one part, that part by another name. */
final class JoinedRows extends GatheredData {
    private final List<TensorData> parts;
    private final long partRows;

    JoinedRows(String name, List<TensorData> parts) {
        super(name, parts.get(0).type(), shape(parts));
        this.parts = List.copyOf(parts);
        this.partRows = parts.get(0).rowCount();
    }

    private static long[] shape(List<TensorData> parts) {
        long[] shape = parts.get(0).shape();
        if (parts.size() > 1) shape[0] *= parts.size();
        return shape;
    }

    @Override
    boolean inOnePlace(long from, long to) {
        return from == to || from / partRows == (to - 1) / partRows;
    }

    @Override
    ByteBuffer place(long from, long to) throws IOException {
        long part = Math.min(from / partRows, parts.size() - 1);
        return parts.get((int) part).rows(from - part * partRows, to - part * partRows);
    }

    @Override
    void gather(long from, long to, ByteBuffer out) throws IOException {
        int at = 0;
        for (long row = from; row < to; ) {
            long end = Math.min(to, (row / partRows + 1) * partRows);
            ByteBuffer rows = place(row, end);
            out.put(at, rows, 0, rows.limit());
            at += rows.limit();
            row = end;
        }
    }
}
