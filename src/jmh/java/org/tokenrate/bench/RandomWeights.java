package org.tokenrate.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.TensorData;

/**
 * Weights that are there at once: a few numbers from a fixed seed, over and over. They are of a
 * size that real ones have, since zeros and denormal numbers can be faster or slower to compute
 * with.
 */
final class RandomWeights {
    /** Numbers before they come again: a prime, so that no two rows of a matrix are the same. */
    private static final int PERIOD = 65_521;

    /** A uniform number in [-1, 1) times this has a variance of 1. */
    private static final double UNIFORM = Math.sqrt(3);

    private static final int CODES_PER_INT = 8;

    private RandomWeights() {}

    /** A linear layer of bf16, which keeps the size of what it multiplies. */
    static LinearData dense(String name, int inputs, int outputs) {
        return new DenseData(numbers(name, outputs, inputs, 0, 1 / Math.sqrt(inputs)));
    }

    /** A linear layer of 4 bits. */
    static LinearData awq(String name, int inputs, int outputs, int groupSize) {
        SplittableRandom random = new SplittableRandom(1);
        int groups = inputs / groupSize;
        // Code less zero point is some 6.5 in size.
        short scale = SafetensorsWriter.toF16((float) (1 / Math.sqrt(inputs) / 6.5));
        return new AwqData(
                name,
                made(name, DType.I32, inputs, outputs / CODES_PER_INT, random::nextInt),
                made(name, DType.I32, groups, outputs / CODES_PER_INT, random::nextInt),
                made(name, DType.F16, groups, outputs, () -> scale),
                groupSize,
                0,
                outputs);
    }

    /** A table of bf16: an embedding, say, or with one row the weight of a norm. */
    static TensorData numbers(String name, int rows, int columns, double mean, double deviation) {
        SplittableRandom random = new SplittableRandom(1);
        return made(
                name,
                DType.BF16,
                rows,
                columns,
                () ->
                        SafetensorsWriter.toBf16(
                                (float)
                                        (mean
                                                + deviation
                                                        * UNIFORM
                                                        * (2 * random.nextDouble() - 1))));
    }

    private static TensorData made(
            String name, DType type, int rows, int columns, IntSupplier bits) {
        int size = type.bytes();
        ByteBuffer numbers =
                ByteBuffer.allocateDirect(PERIOD * size).order(ByteOrder.LITTLE_ENDIAN);
        while (numbers.hasRemaining()) {
            int next = bits.getAsInt();
            if (size == Short.BYTES) numbers.putShort((short) next);
            else numbers.putInt(next);
        }
        return new Repeated(name, type, rows, columns, numbers.flip());
    }

    private record Repeated(String name, DType type, int rowsInAll, int columns, ByteBuffer numbers)
            implements TensorData {
        @Override
        public long[] shape() {
            return new long[] {rowsInAll, columns};
        }

        @Override
        public ByteBuffer rows(long from, long to) {
            int bytes = Math.toIntExact((to - from) * columns * type.bytes());
            ByteBuffer out = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
            read(from * columns, out);
            return out.flip();
        }

        @Override
        public void read(long first, ByteBuffer into) {
            int at = (int) (first % PERIOD) * type.bytes();
            while (into.hasRemaining()) {
                int some = Math.min(into.remaining(), numbers.limit() - at);
                into.put(into.position(), numbers, at, some);
                into.position(into.position() + some);
                at = 0;
            }
        }
    }
}
