package org.tokenrate.device.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** Elements of a checkpoint's tensor in one of the device's types. */
final class WeightReader {
    private static final short F16_INFINITY = 0x7c00;
    private static final int MAGNITUDE = 0x7fff;

    private WeightReader() {}

    /**
     * Reads elements from {@code first} on, as many as {@code into} takes.
     *
     * @param type F16 or BF16
     * @param into little-endian
     * @throws IOException if the tensor cannot be read, holds integers, or has a number that the
     *     type does not
     */
    static void read(TensorData data, long first, DType type, ByteBuffer into) throws IOException {
        if (data.type() == DType.I32) throw new IOException(data.name() + " holds integers");
        if (data.type() == type) {
            data.read(first, into);
            return;
        }
        int count = into.remaining() / type.bytes();
        float[] floats = floats(data, first, count);
        ShortBuffer out = into.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        short[] converted = new short[count];
        if (type == DType.BF16) {
            for (int i = 0; i < count; i++) converted[i] = SixteenBits.toBf16(floats[i]);
        } else {
            for (int i = 0; i < count; i++) converted[i] = toF16(data, floats[i]);
        }
        out.put(converted);
    }

    private static short toF16(TensorData data, float x) throws IOException {
        short half = SixteenBits.toF16(x);
        if ((half & MAGNITUDE) == F16_INFINITY && !Float.isInfinite(x)) {
            throw new IOException(
                    "%s has the number %s, which f16 does not hold (it ends at 65504); use dtype=bf16 on a GPU that has it"
                            .formatted(data.name(), x));
        }
        return half;
    }

    private static float[] floats(TensorData data, long first, int count) throws IOException {
        ByteBuffer raw =
                ByteBuffer.allocate(count * data.type().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        data.read(first, raw);
        raw.flip();
        float[] floats = new float[count];
        if (data.type() == DType.F32) {
            raw.asFloatBuffer().get(floats);
            return floats;
        }
        short[] halves = new short[count];
        raw.asShortBuffer().get(halves);
        if (data.type() == DType.BF16) {
            for (int i = 0; i < count; i++) floats[i] = SixteenBits.fromBf16(halves[i]);
        } else {
            for (int i = 0; i < count; i++) floats[i] = SixteenBits.fromF16(halves[i]);
        }
        return floats;
    }
}
