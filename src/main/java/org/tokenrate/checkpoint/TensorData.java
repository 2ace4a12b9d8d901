package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A tensor in a checkpoint: its shape, and its elements on demand, little-endian, row-major. */
public interface TensorData {
    String name();

    DType type();

    /** One or two dimensions; a vector has one row. */
    long[] shape();

    /**
     * Rows {@code from} to {@code to} (exclusive) as a direct buffer, mapped from the file, at most
     * 2 GiB - 1 bytes.
     */
    ByteBuffer rows(long from, long to) throws IOException;

    /**
     * Fills {@code into}, from its position to its limit, with the elements from {@code first} on,
     * counted row by row. May be called from several threads at a time: this is how weights are
     * loaded, in pieces of a bounded size.
     *
     * @throws IOException if the file cannot be read or has become too short
     */
    default void read(long first, ByteBuffer into) throws IOException {
        long rowBytes = rowLength() * type().bytes();
        long at = first * type().bytes();
        int step = (int) Math.max(1, (1 << 20) / rowBytes);
        while (into.hasRemaining()) {
            long row = at / rowBytes;
            ByteBuffer block = rows(row, Math.min(rowCount(), row + step));
            block.position((int) (at - row * rowBytes));
            block.limit(block.position() + Math.min(block.remaining(), into.remaining()));
            at += block.remaining();
            into.put(block);
        }
    }

    default long rowCount() {
        return shape().length == 1 ? 1 : shape()[0];
    }

    default long rowLength() {
        return shape()[shape().length - 1];
    }

    /** What all elements take. */
    default long byteSize() {
        return rowCount() * rowLength() * type().bytes();
    }

    /**
     * Rows {@code from} to {@code to} (exclusive) as a tensor of their own; nothing is read yet.
     */
    default TensorData slice(long from, long to) {
        TensorData whole = this;
        return new TensorData() {
            @Override
            public String name() {
                return whole.name();
            }

            @Override
            public DType type() {
                return whole.type();
            }

            @Override
            public long[] shape() {
                return new long[] {to - from, whole.rowLength()};
            }

            @Override
            public ByteBuffer rows(long first, long end) throws IOException {
                return whole.rows(from + first, from + end);
            }

            @Override
            public void read(long first, ByteBuffer into) throws IOException {
                whole.read(from * whole.rowLength() + first, into);
            }
        };
    }

    /**
     * Columns {@code from} to {@code to} (exclusive) as a tensor of their own; nothing is read yet.
     *
     * @throws IllegalArgumentException if there are no such columns
     */
    default TensorData columns(long from, long to) {
        return new ColumnSlice(this, from, to);
    }

    /** Elements {@code from} to {@code to} (exclusive) of a vector, as one of their own. */
    default TensorData elements(long from, long to) {
        TensorData whole = this;
        if (rowCount() != 1 || from < 0 || from > to || to > rowLength()) {
            throw new IllegalArgumentException(
                    "%s has no elements %d to %d".formatted(name(), from, to));
        }
        return new TensorData() {
            @Override
            public String name() {
                return whole.name();
            }

            @Override
            public DType type() {
                return whole.type();
            }

            @Override
            public long[] shape() {
                return new long[] {to - from};
            }

            @Override
            public ByteBuffer rows(long first, long end) throws IOException {
                if (first == end) return whole.rows(0, 0);
                int bytes = whole.type().bytes();
                ByteBuffer all = whole.rows(0, 1);
                return all.slice((int) from * bytes, (int) (to - from) * bytes).order(all.order());
            }
        };
    }
}
