package org.tokenrate.device.cpu;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Tensor;

/**
 * An activation outside the heap, where oneDNN can read it. Kernels copy a row into an array,
 * compute there, and copy it back: the arrays stay in the core's first cache, and copies of arrays
 * are what every JDK from 17 on does at full speed.
 */
final class CpuTensor implements Tensor, Residual {
    private final int rows;
    private final int columns;
    private final DType type;
    private final BytePointer memory;
    private final FloatBuffer floats;
    private final ShortBuffer shorts;

    CpuTensor(int rows, int columns, DType type) {
        long bytes = (long) rows * columns * type.bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "an activation of %d x %d %s needs %d bytes; at most 2 GiB fit: run fewer requests at once"
                            .formatted(rows, columns, type.label(), bytes));
        }
        this.rows = rows;
        this.columns = columns;
        this.type = type;
        memory = OneDnn.allocate(bytes);
        var buffer = memory.asByteBuffer().order(ByteOrder.nativeOrder());
        floats = buffer.asFloatBuffer();
        shorts = buffer.asShortBuffer();
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    DType type() {
        return type;
    }

    BytePointer memory() {
        return memory;
    }

    /** Copies {@code count} elements of an f32 tensor's row. */
    void get(int row, int column, float[] to, int offset, int count) {
        floats.get(row * columns + column, to, offset, count);
    }

    /** Copies {@code count} elements into an f32 tensor's row. */
    void put(int row, int column, float[] from, int offset, int count) {
        floats.put(row * columns + column, from, offset, count);
    }

    /** Copies the same row of a narrower f32 tensor into an f32 tensor's row. */
    void putRow(int row, int column, CpuTensor from) {
        floats.put(row * columns + column, from.floats, row * from.columns, from.columns);
    }

    /** Copies {@code count} elements from where another bf16 tensor's row begins into a row. */
    void copy(int row, int column, CpuTensor from, int fromRow, int count) {
        shorts.put(row * columns + column, from.shorts, fromRow * from.columns, count);
    }

    /** Converts to this tensor's type and copies {@code count} elements into a row. */
    void convert(int row, int column, float[] from, int count, short[] scratch) {
        if (type == DType.F32) {
            put(row, column, from, 0, count);
        } else {
            Bf16.fromFloats(from, scratch, count);
            shorts.put(row * columns + column, scratch, 0, count);
        }
    }

    /** A row as floats, whatever the type. */
    float[] toFloats(int row) {
        float[] out = new float[columns];
        toFloats(row, out, new short[columns]);
        return out;
    }

    /** Copies a row as floats, whatever the type, into an array at least as wide. */
    void toFloats(int row, float[] to, short[] scratch) {
        if (type == DType.F32) {
            get(row, 0, to, 0, columns);
        } else {
            shorts.get(row * columns, scratch, 0, columns);
            Bf16.toFloats(scratch, to, columns);
        }
    }

    void free() {
        memory.deallocate();
    }
}
