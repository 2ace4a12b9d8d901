package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Matrices of the same shape, side by side. */
final class JoinedColumns extends GatheredData {
    private final List<TensorData> parts;

    JoinedColumns(String name, List<TensorData> parts) {
        super(
                name,
                parts.get(0).type(),
                parts.get(0).rowCount(),
                parts.get(0).rowLength() * parts.size());
        this.parts = List.copyOf(parts);
    }

    @Override
    void gather(long from, long to, ByteBuffer out) throws IOException {
        int partBytes = (int) (rowBytes() / parts.size());
        for (int p = 0; p < parts.size(); p++) {
            ByteBuffer rows = parts.get(p).rows(from, to);
            for (int row = 0; row < to - from; row++) {
                out.put(row * (int) rowBytes() + p * partBytes, rows, row * partBytes, partBytes);
            }
        }
    }
}
