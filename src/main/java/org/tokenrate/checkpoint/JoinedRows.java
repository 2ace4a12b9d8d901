package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Parts of the same shape, one below the other; of one part, that part by another name. Rows of one
 * part stay mapped.
 */
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
    Run run(long element) {
        long partLength = partRows * rowLength();
        long within = element % partLength;
        return new Run(parts.get((int) (element / partLength)), within, partLength - within);
    }

    @Override
    public ByteBuffer rows(long from, long to) throws IOException {
        long part = from / partRows;
        boolean inOne = 0 <= from && from < to && to <= rowCount() && part == (to - 1) / partRows;
        return inOne
                ? parts.get((int) part).rows(from - part * partRows, to - part * partRows)
                : super.rows(from, to);
    }
}
