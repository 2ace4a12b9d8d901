package org.tokenrate.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongUnaryOperator;
import org.tokenrate.builtin.SplitMix64;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.model.ModelTensors.Kind;

/**
 * Weights from a seed: each row has a generator of its own, keyed by seed, tensor and row, so any
 * rows can be made at any time, by any thread, and are always the same. Matrices are uniform with a
 * variance of 1 / inputs, which keeps the size of what they project; a norm's weights lie around
 * one, biases around zero.
 */
final class RandomTensors {
    /** A uniform number in [-1, 1) times this has a variance of 1. */
    private static final double UNIFORM = Math.sqrt(3);

    private static final float NORM_SPREAD = 0.1f;
    private static final float BIAS_SPREAD = 0.1f;

    private final long seed;

    RandomTensors(long seed) {
        this.seed = seed;
    }

    /** A tensor of bf16. */
    TensorData numbers(String name, Kind kind, long... shape) {
        return numbers(name, kind, row -> row, shape);
    }

    /**
     * The same weights in another order of rows.
     *
     * @param rowOf for each row, which of the plain tensor's it is
     */
    TensorData numbers(String name, Kind kind, LongUnaryOperator rowOf, long... shape) {
        float mean = kind == Kind.NORM ? 1 : 0;
        double deviation =
                switch (kind) {
                    case NORM -> NORM_SPREAD;
                    case BIAS -> BIAS_SPREAD;
                    case EMBEDDING, LINEAR -> 1 / Math.sqrt(shape[shape.length - 1]);
                };
        float scale = (float) (deviation * UNIFORM * 0x1p-15);
        return new Made(name, DType.BF16, shape) {
            @Override
            void fill(ByteBuffer out, long row, int from, int end) {
                long start = start(name, rowOf.applyAsLong(row));
                for (int i = from; i < end; ) {
                    long bits =
                            SplitMix64.mix(start + SplitMix64.GOLDEN_GAMMA * (i / 4))
                                    >> 16 * (i % 4);
                    for (int next = Math.min(i - i % 4 + 4, end); i < next; i++, bits >>= 16) {
                        out.putShort(SafetensorsWriter.toBf16(mean + scale * (short) bits));
                    }
                }
            }
        };
    }

    /** Packed 4-bit numbers, eight an integer, every bit random. */
    TensorData packed(String name, long... shape) {
        return new Made(name, DType.I32, shape) {
            @Override
            void fill(ByteBuffer out, long row, int from, int end) {
                long start = start(name, row);
                for (int i = from; i < end; i++) {
                    out.putInt((int) (SplitMix64.mix(start + SplitMix64.GOLDEN_GAMMA * i) >>> 32));
                }
            }
        };
    }

    /** Scales of 4-bit weights, f16, all so that the weights have a variance of 1 / inputs. */
    TensorData scales(String name, long inputs, long... shape) {
        // Code less zero point: the difference of two uniform numbers of 0 to 15.
        double deviation = Math.sqrt(2 * (16 * 16 - 1) / 12.0);
        short half = SafetensorsWriter.toF16((float) (1 / Math.sqrt(inputs) / deviation));
        return new Made(name, DType.F16, shape) {
            @Override
            void fill(ByteBuffer out, long row, int from, int end) {
                for (int i = from; i < end; i++) out.putShort(half);
            }
        };
    }

    private long start(String name, long row) {
        return SplitMix64.mix(
                SplitMix64.mix(seed + SplitMix64.GOLDEN_GAMMA * name.hashCode())
                        + SplitMix64.GOLDEN_GAMMA * row);
    }

    /** A tensor whose rows are made when they are asked for. */
    private abstract static class Made implements TensorData {
        private final String name;
        private final DType type;
        private final long[] shape;

        Made(String name, DType type, long[] shape) {
            this.name = name;
            this.type = type;
            this.shape = shape.clone();
        }

        /** Elements {@code from} to {@code end} (exclusive) of a row. */
        abstract void fill(ByteBuffer out, long row, int from, int end);

        @Override
        public String name() {
            return name;
        }

        @Override
        public DType type() {
            return type;
        }

        @Override
        public long[] shape() {
            return shape.clone();
        }

        @Override
        public ByteBuffer rows(long from, long to) {
            int columns = Math.toIntExact(rowLength());
            int bytes = Math.toIntExact((to - from) * columns * type.bytes());
            ByteBuffer out = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
            for (long row = from; row < to; row++) fill(out, row, 0, columns);
            return out.flip();
        }

        @Override
        public void read(long first, ByteBuffer into) {
            int columns = Math.toIntExact(rowLength());
            ByteOrder before = into.order();
            into.order(ByteOrder.LITTLE_ENDIAN);
            long row = first / columns;
            for (int from = (int) (first % columns); into.hasRemaining(); row++, from = 0) {
                int end = (int) Math.min(columns, from + (long) into.remaining() / type.bytes());
                fill(into, row, from, end);
            }
            into.order(before);
        }
    }
}
