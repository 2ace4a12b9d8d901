package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.KvCache;

/**
 * Keys and values as bfloat16, two to an {@code int}, so that a shift and a mask turn one load into
 * two vectors of floats. An int of the keys, {@code [headDim / 2][64 tokens]}, holds two
 * neighbouring elements of a token's key; one of the values, {@code [32 pairs of tokens][headDim]},
 * an element of two neighbouring tokens' values. That is how oneDNN wants weights of bf16: {@link
 * AttentionProducts} takes them as they lie.
 *
 * <p>Loops are as small as they are because the compiler stops inlining, and so allocates every
 * vector, in a method of more than about thirty vector operations.
 */
final class KvKernelBf16 implements KvKernel<int[]> {
    private static final int TOKENS = KvCache.TILE_TOKENS;
    private static final int LANES = Vectors.LANES;
    private static final int HIGH = 0xffff0000;

    /** Elements that one row goes over together: four vectors, eight sums. */
    private static final int WIDE = 4 * LANES;

    @Override
    public DType type() {
        return DType.BF16;
    }

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

    private static IntVector pairs(int[] block, int at) {
        return IntVector.fromArray(Vectors.I, block, at);
    }

    private static FloatVector sums(float[] sums, int at) {
        return FloatVector.fromArray(Vectors.F, sums, at);
    }

    @Override
    public void storeKey(
            int[] block, int keys, int slot, float[] key, int offset, int headDim, int[] bits) {
        int d = 0;
        for (; d <= headDim - LANES; d += LANES) {
            Bf16.bits(FloatVector.fromArray(Vectors.F, key, offset + d)).intoArray(bits, d);
        }
        for (; d < headDim; d++) bits[d] = Bf16.bits(key[offset + d]);
        int at = keys + slot;
        for (d = 0; d < headDim; d += 2, at += TOKENS) block[at] = bits[d] | bits[d + 1] << 16;
    }

    /** A token of an even slot leaves a zero for the one behind it: what was there is another's. */
    @Override
    public void storeValue(
            int[] block, int values, int slot, float[] value, int offset, int headDim) {
        int at = values + slot / 2 * headDim;
        int shift = slot % 2 * 16;
        int kept = slot % 2 * ~HIGH;
        int j = 0;
        for (; j <= headDim - LANES; j += LANES) {
            FloatVector x = FloatVector.fromArray(Vectors.F, value, offset + j);
            IntVector bits = Bf16.bits(x).lanewise(VectorOperators.LSHL, shift);
            pairs(block, at + j).and(kept).or(bits).intoArray(block, at + j);
        }
        for (; j < headDim; j++) {
            block[at + j] = block[at + j] & kept | Bf16.bits(value[offset + j]) << shift;
        }
    }

    @Override
    public void scores(
            int[] block, int keys, float[] q, int qOffset, int dim, int rows, float[] scores) {
        if (rows == 4) {
            for (int j = 0; j < TOKENS; j += 2 * LANES) {
                scores4(block, keys + j, q, qOffset, dim, scores, j);
            }
        } else {
            for (int j = 0; j < TOKENS; j += WIDE) {
                scores1(block, keys + j, q, qOffset, dim, scores, j);
            }
        }
    }

    private static void scores4(
            int[] block, int keys, float[] q, int q0, int dim, float[] scores, int j) {
        int q1 = q0 + dim;
        int q2 = q1 + dim;
        int q3 = q2 + dim;
        FloatVector a0 = FloatVector.zero(Vectors.F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int d = 0; d < dim / 2; d++) {
            IntVector a = pairs(block, keys + d * TOKENS);
            IntVector b = pairs(block, keys + d * TOKENS + LANES);
            FloatVector lowA = low(a);
            FloatVector lowB = low(b);
            FloatVector x = all(q[q0 + 2 * d]);
            a0 = lowA.fma(x, a0);
            b0 = lowB.fma(x, b0);
            x = all(q[q1 + 2 * d]);
            a1 = lowA.fma(x, a1);
            b1 = lowB.fma(x, b1);
            x = all(q[q2 + 2 * d]);
            a2 = lowA.fma(x, a2);
            b2 = lowB.fma(x, b2);
            x = all(q[q3 + 2 * d]);
            a3 = lowA.fma(x, a3);
            b3 = lowB.fma(x, b3);
            FloatVector highA = high(a);
            FloatVector highB = high(b);
            x = all(q[q0 + 2 * d + 1]);
            a0 = highA.fma(x, a0);
            b0 = highB.fma(x, b0);
            x = all(q[q1 + 2 * d + 1]);
            a1 = highA.fma(x, a1);
            b1 = highB.fma(x, b1);
            x = all(q[q2 + 2 * d + 1]);
            a2 = highA.fma(x, a2);
            b2 = highB.fma(x, b2);
            x = all(q[q3 + 2 * d + 1]);
            a3 = highA.fma(x, a3);
            b3 = highB.fma(x, b3);
        }
        a0.intoArray(scores, j);
        b0.intoArray(scores, j + LANES);
        a1.intoArray(scores, TOKENS + j);
        b1.intoArray(scores, TOKENS + j + LANES);
        a2.intoArray(scores, 2 * TOKENS + j);
        b2.intoArray(scores, 2 * TOKENS + j + LANES);
        a3.intoArray(scores, 3 * TOKENS + j);
        b3.intoArray(scores, 3 * TOKENS + j + LANES);
    }

    private static void scores1(
            int[] block, int keys, float[] q, int q0, int dim, float[] scores, int j) {
        FloatVector low0 = FloatVector.zero(Vectors.F);
        FloatVector low1 = low0;
        FloatVector low2 = low0;
        FloatVector low3 = low0;
        FloatVector high0 = low0;
        FloatVector high1 = low0;
        FloatVector high2 = low0;
        FloatVector high3 = low0;
        for (int d = 0; d < dim / 2; d++) {
            int at = keys + d * TOKENS;
            FloatVector even = all(q[q0 + 2 * d]);
            FloatVector odd = all(q[q0 + 2 * d + 1]);
            IntVector pairs = pairs(block, at);
            low0 = low(pairs).fma(even, low0);
            high0 = high(pairs).fma(odd, high0);
            pairs = pairs(block, at + LANES);
            low1 = low(pairs).fma(even, low1);
            high1 = high(pairs).fma(odd, high1);
            pairs = pairs(block, at + 2 * LANES);
            low2 = low(pairs).fma(even, low2);
            high2 = high(pairs).fma(odd, high2);
            pairs = pairs(block, at + 3 * LANES);
            low3 = low(pairs).fma(even, low3);
            high3 = high(pairs).fma(odd, high3);
        }
        low0.add(high0).intoArray(scores, j);
        low1.add(high1).intoArray(scores, j + LANES);
        low2.add(high2).intoArray(scores, j + 2 * LANES);
        low3.add(high3).intoArray(scores, j + 3 * LANES);
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
        int pairs = (tokens + 1) / 2; // the weight behind the last token is 0, and so is its value
        for (int r = 0; r < rows; r++) {
            if (decay[r] != 1f) scale(sums, sumsOffset + r * dim, dim, decay[r]);
        }
        int j = 0;
        for (; rows == 1 && j <= dim - WIDE; j += WIDE) {
            accumulateWide(block, values + j, p, pairs, sums, sumsOffset + j, dim);
        }
        for (; rows == 4 && j <= dim - 2 * LANES; j += 2 * LANES) {
            accumulate4(block, values + j, p, pairs, sums, sumsOffset + j, dim);
        }
        for (; j <= dim - LANES; j += LANES) {
            for (int r = 0; r < rows; r++) {
                int at = sumsOffset + r * dim + j;
                accumulate1(block, values + j, p, r * TOKENS, pairs, sums, at, dim);
            }
        }
        for (; j < dim; j++) {
            for (int r = 0; r < rows; r++) {
                int at = sumsOffset + r * dim + j;
                float sum = sums[at];
                for (int t = 0; t < pairs; t++) {
                    int pair = block[values + t * dim + j];
                    int weight = r * TOKENS + 2 * t;
                    sum = Math.fma(p[weight], Float.intBitsToFloat(pair << 16), sum);
                    sum = Math.fma(p[weight + 1], Float.intBitsToFloat(pair & HIGH), sum);
                }
                sums[at] = sum;
            }
        }
    }

    private static void scale(float[] sums, int at, int dim, float by) {
        int i = 0;
        for (; i <= dim - LANES; i += LANES) sums(sums, at + i).mul(by).intoArray(sums, at + i);
        for (; i < dim; i++) sums[at + i] *= by;
    }

    private static void accumulateWide(
            int[] block, int values, float[] p, int pairs, float[] sums, int at, int dim) {
        FloatVector low0 = sums(sums, at);
        FloatVector low1 = sums(sums, at + LANES);
        FloatVector low2 = sums(sums, at + 2 * LANES);
        FloatVector low3 = sums(sums, at + 3 * LANES);
        FloatVector high0 = FloatVector.zero(Vectors.F);
        FloatVector high1 = high0;
        FloatVector high2 = high0;
        FloatVector high3 = high0;
        for (int t = 0; t < pairs; t++) {
            int from = values + t * dim;
            FloatVector even = all(p[2 * t]);
            FloatVector odd = all(p[2 * t + 1]);
            IntVector both = pairs(block, from);
            low0 = low(both).fma(even, low0);
            high0 = high(both).fma(odd, high0);
            both = pairs(block, from + LANES);
            low1 = low(both).fma(even, low1);
            high1 = high(both).fma(odd, high1);
            both = pairs(block, from + 2 * LANES);
            low2 = low(both).fma(even, low2);
            high2 = high(both).fma(odd, high2);
            both = pairs(block, from + 3 * LANES);
            low3 = low(both).fma(even, low3);
            high3 = high(both).fma(odd, high3);
        }
        low0.add(high0).intoArray(sums, at);
        low1.add(high1).intoArray(sums, at + LANES);
        low2.add(high2).intoArray(sums, at + 2 * LANES);
        low3.add(high3).intoArray(sums, at + 3 * LANES);
    }

    /** Two vectors of elements, which are scaled already. */
    private static void accumulate4(
            int[] block, int values, float[] p, int pairs, float[] sums, int at, int dim) {
        int at1 = at + dim;
        int at2 = at1 + dim;
        int at3 = at2 + dim;
        FloatVector a0 = sums(sums, at);
        FloatVector b0 = sums(sums, at + LANES);
        FloatVector a1 = sums(sums, at1);
        FloatVector b1 = sums(sums, at1 + LANES);
        FloatVector a2 = sums(sums, at2);
        FloatVector b2 = sums(sums, at2 + LANES);
        FloatVector a3 = sums(sums, at3);
        FloatVector b3 = sums(sums, at3 + LANES);
        for (int t = 0; t < pairs; t++) {
            IntVector a = pairs(block, values + t * dim);
            IntVector b = pairs(block, values + t * dim + LANES);
            FloatVector lowA = low(a);
            FloatVector lowB = low(b);
            FloatVector x = all(p[2 * t]);
            a0 = lowA.fma(x, a0);
            b0 = lowB.fma(x, b0);
            x = all(p[TOKENS + 2 * t]);
            a1 = lowA.fma(x, a1);
            b1 = lowB.fma(x, b1);
            x = all(p[2 * TOKENS + 2 * t]);
            a2 = lowA.fma(x, a2);
            b2 = lowB.fma(x, b2);
            x = all(p[3 * TOKENS + 2 * t]);
            a3 = lowA.fma(x, a3);
            b3 = lowB.fma(x, b3);
            FloatVector highA = high(a);
            FloatVector highB = high(b);
            x = all(p[2 * t + 1]);
            a0 = highA.fma(x, a0);
            b0 = highB.fma(x, b0);
            x = all(p[TOKENS + 2 * t + 1]);
            a1 = highA.fma(x, a1);
            b1 = highB.fma(x, b1);
            x = all(p[2 * TOKENS + 2 * t + 1]);
            a2 = highA.fma(x, a2);
            b2 = highB.fma(x, b2);
            x = all(p[3 * TOKENS + 2 * t + 1]);
            a3 = highA.fma(x, a3);
            b3 = highB.fma(x, b3);
        }
        a0.intoArray(sums, at);
        b0.intoArray(sums, at + LANES);
        a1.intoArray(sums, at1);
        b1.intoArray(sums, at1 + LANES);
        a2.intoArray(sums, at2);
        b2.intoArray(sums, at2 + LANES);
        a3.intoArray(sums, at3);
        b3.intoArray(sums, at3 + LANES);
    }

    private static void accumulate1(
            int[] block, int values, float[] p, int p0, int pairs, float[] sums, int at, int dim) {
        FloatVector low = sums(sums, at);
        FloatVector high = FloatVector.zero(Vectors.F);
        for (int t = 0; t < pairs; t++) {
            IntVector both = pairs(block, values + t * dim);
            low = low(both).fma(all(p[p0 + 2 * t]), low);
            high = high(both).fma(all(p[p0 + 2 * t + 1]), high);
        }
        low.add(high).intoArray(sums, at);
    }
}
