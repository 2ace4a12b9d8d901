package org.tokenrate.checkpoint;

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
    Run run(long element) {
        long partLength = parts.get(0).rowLength();
        long row = element / rowLength();
        long column = element % rowLength();
        long within = column % partLength;
        return new Run(
                parts.get((int) (column / partLength)),
                row * partLength + within,
                partLength - within);
    }
}
