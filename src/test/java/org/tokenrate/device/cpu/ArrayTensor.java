package org.tokenrate.device.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** A matrix of random weights in memory, as a checkpoint would give it and as plain numbers. */
record ArrayTensor(DType type, int rows, int columns, float[] values, ByteBuffer bytes)
        implements TensorData {

    /** Numbers between -2 and 2 that the type holds exactly. */
    static ArrayTensor random(Random random, DType type, int rows, int columns) {
        float[] values = new float[rows * columns];
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(values.length * type.bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.length; i++) {
            switch (type) {
                case F32 -> {
                    values[i] = 4 * random.nextFloat() - 2;
                    bytes.putFloat(values[i]);
                }
                case BF16 -> {
                    int bits = Float.floatToRawIntBits(4 * random.nextFloat() - 2) >>> 16;
                    values[i] = Float.intBitsToFloat(bits << 16);
                    bytes.putShort((short) bits);
                }
                case F16 -> {
                    int sign = random.nextInt(2);
                    int exponent = 8 + random.nextInt(8);
                    int mantissa = random.nextInt(1024);
                    double size = (1 + mantissa / 1024.0) * Math.pow(2, exponent - 15);
                    values[i] = (float) (sign == 0 ? size : -size);
                    bytes.putShort((short) (sign << 15 | exponent << 10 | mantissa));
                }
            }
        }
        return new ArrayTensor(type, rows, columns, values, bytes.flip());
    }

    float value(int row, int column) {
        return values[row * columns + column];
    }

    @Override
    public String name() {
        return "random";
    }

    @Override
    public long[] shape() {
        return new long[] {rows, columns};
    }

    @Override
    public ByteBuffer rows(long from, long to) {
        int rowBytes = columns * type.bytes();
        return bytes.slice((int) from * rowBytes, (int) (to - from) * rowBytes)
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
