package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Tensors as plain numbers, whatever they are stored as: for what is small or read once. */
public final class TensorFloats {
    private TensorFloats() {}

    /**
     * Rows {@code from} to {@code to} (exclusive), row by row.
     *
     * @throws IOException if they cannot be read or are packed integers
     */
    public static float[] rows(TensorData tensor, long from, long to) throws IOException {
        ByteBuffer bytes = tensor.rows(from, to);
        float[] values = new float[Math.toIntExact((to - from) * tensor.rowLength())];
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    switch (tensor.type()) {
                        case F32 -> bytes.getFloat();
                        case F16 -> AwqLayer.fromF16(bytes.getShort());
                        case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                        case I32 -> throw new IOException(tensor.name() + " holds integers");
                    };
        }
        return values;
    }
}
