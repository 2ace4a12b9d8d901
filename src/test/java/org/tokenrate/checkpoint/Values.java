package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A tensor's values, as floats. */
final class Values {
    private Values() {}

    static float[] floats(TensorData tensor) throws IOException {
        ByteBuffer rows = tensor.rows(0, tensor.rowCount());
        float[] values = new float[rows.remaining() / tensor.type().bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    switch (tensor.type()) {
                        case F32 -> rows.getFloat();
                        case BF16 -> Float.intBitsToFloat(rows.getShort() << 16);
                        case F16 -> half(rows.getShort());
                        case I32 -> rows.getInt();
                    };
        }
        return values;
    }

    /** IEEE 754 binary16 from its definition. */
    private static float half(int bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude =
                exponent == 31
                        ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                        : exponent == 0
                                ? fraction * 0x1p-24
                                : (1024 + fraction) * Math.pow(2, exponent - 25);
        return (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
    }
}
