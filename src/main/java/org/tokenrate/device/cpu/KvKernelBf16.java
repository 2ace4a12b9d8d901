package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.tokenrate.device.KvCache;

/**
 * Keys and values as bfloat16, two to an {@code int}, so that a shift and a mask turn one load into
 * two vectors of floats. The pair in int j of a key row is tokens j (low half) and j + 32; in a
 * value row, elements j and j + headDim / 2.
 */
final class KvKernelBf16 implements KvKernel<int[]> {
    private static final int TOKENS = KvCache.BLOCK_TOKENS;
    private static final int PAIRS = TOKENS / 2;

    /** Array elements of a cache line. */
    private static final int LINE = 16;

    private static final int LANES = Vectors.LANES;
    private static final int HIGH = 0xffff0000;

    /** Vectors that one row goes over together. */
    private static final int WIDE = 4;

    @Override
    public int arrayElements(int numbers) {
        return numbers / 2;
    }

    @Override
    public int[] newBlock(int elements) {
        return new int[elements];
    }

    @Override
    public int[][] newBlocks(int count) {
        return new int[count][];
    }

    private static FloatVector low(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector pairs) {
        return pairs.and(HIGH).reinterpretAsFloats();
    }

    private static FloatVector all(float x) {
        return FloatVector.broadcast(Vectors.F, x);
    }

    @Override
    public int touch(int[] block, int from, int elements) {
        int sum = 0;
        for (int i = from; i < from + elements; i += LINE) sum += block[i];
        return sum;
    }

    @Override
    public void storeKey(int[] block, int keys, int slot, float[] key, int offset, int headDim) {
        int at = keys + slot % PAIRS;
        if (slot < PAIRS) {
            for (int d = 0; d < headDim; d++) {
                int i = at + d * PAIRS;
                block[i] = block[i] & HIGH | Bf16.bits(key[offset + d]);
            }
        } else {
            for (int d = 0; d < headDim; d++) {
                int i = at + d * PAIRS;
                block[i] = block[i] & ~HIGH | Bf16.bits(key[offset + d]) << 16;
            }
        }
    }

    @Override
    public void storeValue(
            int[] block, int values, int slot, float[] value, int offset, int headDim) {
        int half = headDim / 2;
        int at = values + slot * half;
        for (int j = 0; j < half; j++) {
            block[at + j] =
                    Bf16.bits(value[offset + j]) | Bf16.bits(value[offset + half + j]) << 16;
        }
    }

    @Override
    public void scores(
            int[] block, int keys, float[] q, int qOffset, int dim, int rows, float[] scores) {
        if (rows == 4) scores4(block, keys, q, qOffset, dim, scores);
        else scores1(block, keys, q, qOffset, dim, scores);
    }

    private static void scores4(int[] block, int keys, float[] q, int q0, int dim, float[] scores) {
        int q1 = q0 + dim;
        int q2 = q1 + dim;
        int q3 = q2 + dim;
        for (int j = 0; j < PAIRS; j += LANES) {
            FloatVector low0 = FloatVector.zero(Vectors.F);
            FloatVector low1 = low0;
            FloatVector low2 = low0;
            FloatVector low3 = low0;
            FloatVector high0 = low0;
            FloatVector high1 = low0;
            FloatVector high2 = low0;
            FloatVector high3 = low0;
            for (int d = 0; d < dim; d++) {
                IntVector pairs = IntVector.fromArray(Vectors.I, block, keys + d * PAIRS + j);
                FloatVector low = low(pairs);
                FloatVector high = high(pairs);
                FloatVector x0 = all(q[q0 + d]);
                low0 = low.fma(x0, low0);
                high0 = high.fma(x0, high0);
                FloatVector x1 = all(q[q1 + d]);
                low1 = low.fma(x1, low1);
                high1 = high.fma(x1, high1);
                FloatVector x2 = all(q[q2 + d]);
                low2 = low.fma(x2, low2);
                high2 = high.fma(x2, high2);
                FloatVector x3 = all(q[q3 + d]);
                low3 = low.fma(x3, low3);
                high3 = high.fma(x3, high3);
            }
            low0.intoArray(scores, j);
            high0.intoArray(scores, PAIRS + j);
            low1.intoArray(scores, TOKENS + j);
            high1.intoArray(scores, TOKENS + PAIRS + j);
            low2.intoArray(scores, 2 * TOKENS + j);
            high2.intoArray(scores, 2 * TOKENS + PAIRS + j);
            low3.intoArray(scores, 3 * TOKENS + j);
            high3.intoArray(scores, 3 * TOKENS + PAIRS + j);
        }
    }

    private static void scores1(int[] block, int keys, float[] q, int q0, int dim, float[] scores) {
        int wide = PAIRS / (WIDE * LANES) * WIDE * LANES;
        for (int j = 0; j < wide; j += WIDE * LANES) {
            scoresWide(block, keys + j, q, q0, dim, scores, j);
        }
        for (int j = wide; j < PAIRS; j += LANES) {
            FloatVector low = FloatVector.zero(Vectors.F);
            FloatVector high = low;
            for (int d = 0; d < dim; d++) {
                IntVector pairs = IntVector.fromArray(Vectors.I, block, keys + d * PAIRS + j);
                FloatVector x = all(q[q0 + d]);
                low = low(pairs).fma(x, low);
                high = high(pairs).fma(x, high);
            }
            low.intoArray(scores, j);
            high.intoArray(scores, PAIRS + j);
        }
    }

    /** Four vectors of tokens for one row: eight sums, so that none has to wait for itself. */
    private static void scoresWide(
            int[] block, int keys, float[] q, int q0, int dim, float[] scores, int j) {
        FloatVector low0 = FloatVector.zero(Vectors.F);
        FloatVector low1 = low0;
        FloatVector low2 = low0;
        FloatVector low3 = low0;
        FloatVector high0 = low0;
        FloatVector high1 = low0;
        FloatVector high2 = low0;
        FloatVector high3 = low0;
        for (int d = 0; d < dim; d++) {
            int at = keys + d * PAIRS;
            FloatVector x = all(q[q0 + d]);
            IntVector pairs = IntVector.fromArray(Vectors.I, block, at);
            low0 = low(pairs).fma(x, low0);
            high0 = high(pairs).fma(x, high0);
            pairs = IntVector.fromArray(Vectors.I, block, at + LANES);
            low1 = low(pairs).fma(x, low1);
            high1 = high(pairs).fma(x, high1);
            pairs = IntVector.fromArray(Vectors.I, block, at + 2 * LANES);
            low2 = low(pairs).fma(x, low2);
            high2 = high(pairs).fma(x, high2);
            pairs = IntVector.fromArray(Vectors.I, block, at + 3 * LANES);
            low3 = low(pairs).fma(x, low3);
            high3 = high(pairs).fma(x, high3);
        }
        low0.intoArray(scores, j);
        low1.intoArray(scores, j + LANES);
        low2.intoArray(scores, j + 2 * LANES);
        low3.intoArray(scores, j + 3 * LANES);
        high0.intoArray(scores, PAIRS + j);
        high1.intoArray(scores, PAIRS + j + LANES);
        high2.intoArray(scores, PAIRS + j + 2 * LANES);
        high3.intoArray(scores, PAIRS + j + 3 * LANES);
    }

    @Override
    public void accumulate(
            int[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int sumsOffset,
            int dim,
            int rows) {
        int half = dim / 2;
        int j = 0;
        boolean wide = rows == 1 && half % (WIDE * LANES) == 0;
        if (wide && decay[0] != 1f) scale(sums, sumsOffset, dim, decay[0]);
        for (; wide && j < half; j += WIDE * LANES) {
            accumulateWide(block, values + j, p, tokens, sums, sumsOffset + j, half);
        }
        for (; j <= half - LANES; j += LANES) {
            if (rows == 4) {
                accumulate4(block, values + j, p, tokens, decay, sums, sumsOffset + j, dim);
            } else {
                accumulate1(block, values + j, p, tokens, decay, sums, sumsOffset + j, dim);
            }
        }
        for (; j < half; j++) {
            for (int r = 0; r < rows; r++) {
                int at = sumsOffset + r * dim + j;
                float low = sums[at] * decay[r];
                float high = sums[at + half] * decay[r];
                for (int t = 0; t < tokens; t++) {
                    int pair = block[values + t * half + j];
                    float weight = p[r * TOKENS + t];
                    low = Math.fma(weight, Float.intBitsToFloat(pair << 16), low);
                    high = Math.fma(weight, Float.intBitsToFloat(pair & HIGH), high);
                }
                sums[at] = low;
                sums[at + half] = high;
            }
        }
    }

    private static void scale(float[] sums, int at, int dim, float by) {
        for (int i = at; i < at + dim; i += LANES) {
            FloatVector.fromArray(Vectors.F, sums, i).mul(by).intoArray(sums, i);
        }
    }

    /**
     * Four vectors of elements for one row. Any more operations, and the compiler stops inlining
     * them, and so allocates every vector.
     */
    private static void accumulateWide(
            int[] block, int values, float[] p, int tokens, float[] sums, int at, int half) {
        FloatVector low0 = FloatVector.fromArray(Vectors.F, sums, at);
        FloatVector low1 = FloatVector.fromArray(Vectors.F, sums, at + LANES);
        FloatVector low2 = FloatVector.fromArray(Vectors.F, sums, at + 2 * LANES);
        FloatVector low3 = FloatVector.fromArray(Vectors.F, sums, at + 3 * LANES);
        int up = at + half;
        FloatVector high0 = FloatVector.fromArray(Vectors.F, sums, up);
        FloatVector high1 = FloatVector.fromArray(Vectors.F, sums, up + LANES);
        FloatVector high2 = FloatVector.fromArray(Vectors.F, sums, up + 2 * LANES);
        FloatVector high3 = FloatVector.fromArray(Vectors.F, sums, up + 3 * LANES);
        for (int t = 0; t < tokens; t++) {
            int from = values + t * half;
            FloatVector x = all(p[t]);
            IntVector pairs = IntVector.fromArray(Vectors.I, block, from);
            low0 = low(pairs).fma(x, low0);
            high0 = high(pairs).fma(x, high0);
            pairs = IntVector.fromArray(Vectors.I, block, from + LANES);
            low1 = low(pairs).fma(x, low1);
            high1 = high(pairs).fma(x, high1);
            pairs = IntVector.fromArray(Vectors.I, block, from + 2 * LANES);
            low2 = low(pairs).fma(x, low2);
            high2 = high(pairs).fma(x, high2);
            pairs = IntVector.fromArray(Vectors.I, block, from + 3 * LANES);
            low3 = low(pairs).fma(x, low3);
            high3 = high(pairs).fma(x, high3);
        }
        low0.intoArray(sums, at);
        low1.intoArray(sums, at + LANES);
        low2.intoArray(sums, at + 2 * LANES);
        low3.intoArray(sums, at + 3 * LANES);
        high0.intoArray(sums, up);
        high1.intoArray(sums, up + LANES);
        high2.intoArray(sums, up + 2 * LANES);
        high3.intoArray(sums, up + 3 * LANES);
    }

    private static void accumulate4(
            int[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int at,
            int dim) {
        int half = dim / 2;
        FloatVector low0 = FloatVector.fromArray(Vectors.F, sums, at).mul(decay[0]);
        FloatVector high0 = FloatVector.fromArray(Vectors.F, sums, at + half).mul(decay[0]);
        FloatVector low1 = FloatVector.fromArray(Vectors.F, sums, at + dim).mul(decay[1]);
        FloatVector high1 = FloatVector.fromArray(Vectors.F, sums, at + dim + half).mul(decay[1]);
        FloatVector low2 = FloatVector.fromArray(Vectors.F, sums, at + 2 * dim).mul(decay[2]);
        FloatVector high2 =
                FloatVector.fromArray(Vectors.F, sums, at + 2 * dim + half).mul(decay[2]);
        FloatVector low3 = FloatVector.fromArray(Vectors.F, sums, at + 3 * dim).mul(decay[3]);
        FloatVector high3 =
                FloatVector.fromArray(Vectors.F, sums, at + 3 * dim + half).mul(decay[3]);
        for (int t = 0; t < tokens; t++) {
            IntVector pairs = IntVector.fromArray(Vectors.I, block, values + t * half);
            FloatVector low = low(pairs);
            FloatVector high = high(pairs);
            FloatVector p0 = all(p[t]);
            low0 = low.fma(p0, low0);
            high0 = high.fma(p0, high0);
            FloatVector p1 = all(p[TOKENS + t]);
            low1 = low.fma(p1, low1);
            high1 = high.fma(p1, high1);
            FloatVector p2 = all(p[2 * TOKENS + t]);
            low2 = low.fma(p2, low2);
            high2 = high.fma(p2, high2);
            FloatVector p3 = all(p[3 * TOKENS + t]);
            low3 = low.fma(p3, low3);
            high3 = high.fma(p3, high3);
        }
        low0.intoArray(sums, at);
        high0.intoArray(sums, at + half);
        low1.intoArray(sums, at + dim);
        high1.intoArray(sums, at + dim + half);
        low2.intoArray(sums, at + 2 * dim);
        high2.intoArray(sums, at + 2 * dim + half);
        low3.intoArray(sums, at + 3 * dim);
        high3.intoArray(sums, at + 3 * dim + half);
    }

    private static void accumulate1(
            int[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int at,
            int dim) {
        int half = dim / 2;
        FloatVector low = FloatVector.fromArray(Vectors.F, sums, at).mul(decay[0]);
        FloatVector high = FloatVector.fromArray(Vectors.F, sums, at + half).mul(decay[0]);
        for (int t = 0; t < tokens; t++) {
            IntVector pairs = IntVector.fromArray(Vectors.I, block, values + t * half);
            FloatVector x = all(p[t]);
            low = low(pairs).fma(x, low);
            high = high(pairs).fma(x, high);
        }
        low.intoArray(sums, at);
        high.intoArray(sums, at + half);
    }
}
