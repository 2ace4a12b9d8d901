package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A tensor that is put together from others as it is read. */
abstract class GatheredData implements TensorData {
    private final String name;
    private final DType type;
    private final long[] shape;

    GatheredData(String name, DType type, long... shape) {
        this.name = name;
        this.type = type;
        this.shape = shape;
    }

    /**
     * Elements that follow each other in one source.
     *
     * @param first the first of them, counted row by row there
     */
    record Run(TensorData source, long first, long length) {}

    /** The longest run that begins with an element, counted row by row. */
    abstract Run run(long element);

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final DType type() {
        return type;
    }

    @Override
    public final long[] shape() {
        return shape.clone();
    }

    @Override
    public final void read(long first, ByteBuffer into) throws IOException {
        int limit = into.limit();
        long end = first + into.remaining() / type.bytes();
        if (first < 0 || end > rowCount() * rowLength()) {
            throw new IndexOutOfBoundsException(
                    "elements %d to %d of %d of %s"
                            .formatted(first, end, rowCount() * rowLength(), name));
        }
        for (long element = first; element < end; ) {
            Run run = run(element);
            long length = Math.min(run.length, end - element);
            into.limit(into.position() + (int) length * type.bytes());
            run.source.read(run.first, into);
            into.limit(limit);
            element += length;
        }
    }

    @Override
    public ByteBuffer rows(long from, long to) throws IOException {
        if (from < 0 || to < from || to > rowCount()) {
            throw new IndexOutOfBoundsException(
                    "rows " + from + " to " + to + " of " + rowCount() + " of " + name);
        }
        long bytes = Math.multiplyExact(to - from, rowLength() * type.bytes());
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "rows %d to %d of %s take %d bytes, but a buffer holds %d; ask for fewer"
                            .formatted(from, to, name, bytes, Integer.MAX_VALUE));
        }
        ByteBuffer rows = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
        read(from * rowLength(), rows);
        return rows.flip();
    }
}
