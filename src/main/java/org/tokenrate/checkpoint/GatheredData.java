package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A matrix that is put together from others, row by row. Rows that lie together in one place stay
 * mapped; others are copied into a direct buffer of just these rows.
 */
abstract class GatheredData implements TensorData {
    private final String name;
    private final DType type;
    private final long[] shape;

    GatheredData(String name, DType type, long... shape) {
        this.name = name;
        this.type = type;
        this.shape = shape;
    }

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
    public final ByteBuffer rows(long from, long to) throws IOException {
        if (from < 0 || to < from || to > rowCount()) {
            throw new IndexOutOfBoundsException(
                    "rows " + from + " to " + to + " of " + rowCount() + " of " + name);
        }
        long bytes = Math.multiplyExact(to - from, rowBytes());
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "rows %d to %d of %s take %d bytes, but a buffer holds %d; ask for fewer"
                            .formatted(from, to, name, bytes, Integer.MAX_VALUE));
        }
        if (inOnePlace(from, to)) return place(from, to);
        ByteBuffer out = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
        gather(from, to, out);
        return out;
    }

    final long rowBytes() {
        return rowLength() * type.bytes();
    }

    /** Whether these rows lie one after the other in a single source. */
    boolean inOnePlace(long from, long to) {
        return false;
    }

    /** Rows that are {@link #inOnePlace}. */
    ByteBuffer place(long from, long to) throws IOException {
        throw new IllegalStateException(name + " is in no one place");
    }

    /** Fills {@code out} from its start with rows {@code from} to {@code to}. */
    abstract void gather(long from, long to, ByteBuffer out) throws IOException;
}
