package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.StoredRows.Piece;

/**
 * One thread's place for a few rows between the file and oneDNN. They are small enough to stay in
 * the core's cache until they are reordered.
 */
final class Stage implements AutoCloseable {
    /**
     * Rows this far apart, or a multiple of it, fall into so few sets of the first cache that a
     * block's rows throw each other out: oneDNN's reorder is then up to four times slower.
     */
    private static final int ALIASING_BYTES = 1024;

    /** Elements of a cache line of floats. */
    private static final int LINE = 16;

    /**
     * Rows in memory.
     *
     * @param type F32 or BF16
     * @param stride elements from one row to the next
     */
    record Staged(BytePointer memory, DType type, int stride) {
        /** Rounds numbers of f32 to the nearest of bf16, and leaves them f32. */
        void roundToBf16(int rows, int columns) {
            if (type != DType.F32) return;
            FloatBuffer floats =
                    memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            for (int row = 0; row < rows; row++) {
                for (int i = row * stride; i < row * stride + columns; i++) {
                    floats.put(i, Bf16.toFloat(Bf16.bits(floats.get(i))));
                }
            }
        }
    }

    private int inputs;
    private final BytePointer raw;
    private final ByteBuffer rawBytes;
    private final BytePointer spread;
    private final ByteBuffer spreadBytes;
    private short[] halves = new short[0];
    private float[] floats = new float[0];

    /**
     * @param rows most rows at a time
     * @param inputs elements of a row
     */
    Stage(int rows, int inputs) {
        reuse(inputs);
        raw = new BytePointer((long) rows * (inputs + 2 * LINE) * Float.BYTES);
        rawBytes = raw.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        spread = new BytePointer((long) rows * (inputs + 2 * LINE) * Float.BYTES);
        spreadBytes = spread.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Whether so many rows find room in what there is. */
    boolean fits(int rows, int inputs) {
        long widest = (long) rows * (inputs + 2 * LINE) * Float.BYTES;
        return widest <= Math.min(rawBytes.capacity(), spreadBytes.capacity());
    }

    /** Takes rows of another width from now on. */
    void reuse(int inputs) {
        this.inputs = inputs;
        if (halves.length >= inputs) return;
        halves = new short[inputs];
        floats = new float[inputs];
    }

    private int stride(DType type) {
        int stride = (inputs + LINE - 1) / LINE * LINE;
        return aliases(stride, type) ? stride + LINE : stride;
    }

    private static boolean aliases(int stride, DType type) {
        return stride * type.bytes() % ALIASING_BYTES == 0;
    }

    /**
     * Reads rows; they stay until the next are read.
     *
     * @param canPair whether bf16 rows will be moved as pairs of elements: then an odd last one
     *     needs a zero beside it, and rows may be any distance apart
     */
    Staged read(List<Piece> pieces, boolean canPair) throws IOException {
        DType type = StoredRows.common(pieces);
        boolean pairs = canPair && type == DType.BF16;
        if (pieces.size() == 1
                && pieces.get(0).tensor().type() == type
                && (pairs ? inputs % 2 == 0 : !aliases(inputs, type))) {
            read(pieces.get(0));
            return new Staged(raw, type, inputs);
        }
        int stride = stride(type);
        for (Piece piece : pieces) {
            read(piece);
            for (int i = 0; i < piece.count(); i++) spread(piece, i, type, stride, pairs);
        }
        return new Staged(spread, type, stride);
    }

    private void read(Piece piece) throws IOException {
        int bytes = piece.count() * inputs * piece.tensor().type().bytes();
        piece.tensor().read(piece.firstRow() * inputs, rawBytes.limit(bytes).position(0));
        rawBytes.position(0);
    }

    private void spread(Piece piece, int row, DType type, int stride, boolean pairs) {
        DType stored = piece.tensor().type();
        int from = row * inputs * stored.bytes();
        int to = (piece.at() + row) * stride * type.bytes();
        if (stored == type) {
            int bytes = inputs * type.bytes();
            spreadBytes.put(to, rawBytes, from, bytes);
            if (pairs && inputs % 2 == 1) spreadBytes.putShort(to + bytes, (short) 0);
            return;
        }
        ShortBuffer shorts = rawBytes.asShortBuffer();
        FloatBuffer out = spreadBytes.asFloatBuffer();
        shorts.get(from / Short.BYTES, halves, 0, inputs);
        if (stored == DType.F16) Half.toFloats(halves, floats, inputs);
        else Bf16.toFloats(halves, floats, inputs);
        out.put(to / Float.BYTES, floats, 0, inputs);
    }

    @Override
    public void close() {
        raw.deallocate();
        spread.deallocate();
    }
}
