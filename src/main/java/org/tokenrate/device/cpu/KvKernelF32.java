package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.KvCache;

/** Keys and values as 32-bit floats. */
final class KvKernelF32 implements KvKernel<float[]> {
    private static final int TOKENS = KvCache.TILE_TOKENS;

    private static final int LANES = Vectors.LANES;

    /** Vectors that one row goes over together; a block's tokens are a multiple of them. */
    private static final int WIDE = 4;

    @Override
    public DType type() {
        return DType.F32;
    }

    @Override
    public int arrayElements(int numbers) {
        return numbers;
    }

    @Override
    public float[] newBlock(int elements) {
        return new float[elements];
    }

    @Override
    public float[][] newBlocks(int count) {
        return new float[count][];
    }

    @Override
    public void storeKey(
            float[] block, int keys, int slot, float[] key, int offset, int headDim, int[] bits) {
        for (int d = 0; d < headDim; d++) block[keys + d * TOKENS + slot] = key[offset + d];
    }

    @Override
    public void storeValue(
            float[] block, int values, int slot, float[] value, int offset, int headDim) {
        System.arraycopy(value, offset, block, values + slot * headDim, headDim);
    }

    @Override
    public void scores(
            float[] block, int keys, float[] q, int qOffset, int dim, int rows, float[] scores) {
        if (rows == 4) scores4(block, keys, q, qOffset, dim, scores);
        else scores1(block, keys, q, qOffset, dim, scores);
    }

    private static void scores4(
            float[] block, int keys, float[] q, int q0, int dim, float[] scores) {
        int q1 = q0 + dim;
        int q2 = q1 + dim;
        int q3 = q2 + dim;
        for (int j = 0; j < TOKENS; j += LANES) {
            FloatVector s0 = FloatVector.zero(Vectors.F);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            for (int d = 0; d < dim; d++) {
                FloatVector k = FloatVector.fromArray(Vectors.F, block, keys + d * TOKENS + j);
                s0 = k.fma(FloatVector.broadcast(Vectors.F, q[q0 + d]), s0);
                s1 = k.fma(FloatVector.broadcast(Vectors.F, q[q1 + d]), s1);
                s2 = k.fma(FloatVector.broadcast(Vectors.F, q[q2 + d]), s2);
                s3 = k.fma(FloatVector.broadcast(Vectors.F, q[q3 + d]), s3);
            }
            s0.intoArray(scores, j);
            s1.intoArray(scores, TOKENS + j);
            s2.intoArray(scores, 2 * TOKENS + j);
            s3.intoArray(scores, 3 * TOKENS + j);
        }
    }

    private static void scores1(
            float[] block, int keys, float[] q, int q0, int dim, float[] scores) {
        for (int j = 0; j < TOKENS; j += WIDE * LANES) {
            FloatVector s0 = FloatVector.zero(Vectors.F);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            for (int d = 0; d < dim; d++) {
                int at = keys + d * TOKENS + j;
                FloatVector x = FloatVector.broadcast(Vectors.F, q[q0 + d]);
                s0 = FloatVector.fromArray(Vectors.F, block, at).fma(x, s0);
                s1 = FloatVector.fromArray(Vectors.F, block, at + LANES).fma(x, s1);
                s2 = FloatVector.fromArray(Vectors.F, block, at + 2 * LANES).fma(x, s2);
                s3 = FloatVector.fromArray(Vectors.F, block, at + 3 * LANES).fma(x, s3);
            }
            s0.intoArray(scores, j);
            s1.intoArray(scores, j + LANES);
            s2.intoArray(scores, j + 2 * LANES);
            s3.intoArray(scores, j + 3 * LANES);
        }
    }

    @Override
    public void accumulate(
            float[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int sumsOffset,
            int dim,
            int rows) {
        int j = 0;
        for (; rows == 1 && j <= dim - WIDE * LANES; j += WIDE * LANES) {
            accumulateWide(block, values + j, p, tokens, decay[0], sums, sumsOffset + j, dim);
        }
        for (; j <= dim - LANES; j += LANES) {
            if (rows == 4) {
                accumulate4(block, values + j, p, tokens, decay, sums, sumsOffset + j, dim);
            } else {
                accumulate1(block, values + j, p, tokens, decay, sums, sumsOffset + j, dim);
            }
        }
        for (; j < dim; j++) {
            for (int r = 0; r < rows; r++) {
                float sum = sums[sumsOffset + r * dim + j] * decay[r];
                for (int t = 0; t < tokens; t++) {
                    sum = Math.fma(p[r * TOKENS + t], block[values + t * dim + j], sum);
                }
                sums[sumsOffset + r * dim + j] = sum;
            }
        }
    }

    /** Four vectors of elements for one row: four sums, which do not wait for each other. */
    private static void accumulateWide(
            float[] block,
            int values,
            float[] p,
            int tokens,
            float decay,
            float[] sums,
            int at,
            int dim) {
        FloatVector s0 = FloatVector.fromArray(Vectors.F, sums, at).mul(decay);
        FloatVector s1 = FloatVector.fromArray(Vectors.F, sums, at + LANES).mul(decay);
        FloatVector s2 = FloatVector.fromArray(Vectors.F, sums, at + 2 * LANES).mul(decay);
        FloatVector s3 = FloatVector.fromArray(Vectors.F, sums, at + 3 * LANES).mul(decay);
        for (int t = 0; t < tokens; t++) {
            int from = values + t * dim;
            FloatVector x = FloatVector.broadcast(Vectors.F, p[t]);
            s0 = FloatVector.fromArray(Vectors.F, block, from).fma(x, s0);
            s1 = FloatVector.fromArray(Vectors.F, block, from + LANES).fma(x, s1);
            s2 = FloatVector.fromArray(Vectors.F, block, from + 2 * LANES).fma(x, s2);
            s3 = FloatVector.fromArray(Vectors.F, block, from + 3 * LANES).fma(x, s3);
        }
        s0.intoArray(sums, at);
        s1.intoArray(sums, at + LANES);
        s2.intoArray(sums, at + 2 * LANES);
        s3.intoArray(sums, at + 3 * LANES);
    }

    private static void accumulate4(
            float[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int at,
            int dim) {
        FloatVector s0 = FloatVector.fromArray(Vectors.F, sums, at).mul(decay[0]);
        FloatVector s1 = FloatVector.fromArray(Vectors.F, sums, at + dim).mul(decay[1]);
        FloatVector s2 = FloatVector.fromArray(Vectors.F, sums, at + 2 * dim).mul(decay[2]);
        FloatVector s3 = FloatVector.fromArray(Vectors.F, sums, at + 3 * dim).mul(decay[3]);
        for (int t = 0; t < tokens; t++) {
            FloatVector v = FloatVector.fromArray(Vectors.F, block, values + t * dim);
            s0 = v.fma(FloatVector.broadcast(Vectors.F, p[t]), s0);
            s1 = v.fma(FloatVector.broadcast(Vectors.F, p[TOKENS + t]), s1);
            s2 = v.fma(FloatVector.broadcast(Vectors.F, p[2 * TOKENS + t]), s2);
            s3 = v.fma(FloatVector.broadcast(Vectors.F, p[3 * TOKENS + t]), s3);
        }
        s0.intoArray(sums, at);
        s1.intoArray(sums, at + dim);
        s2.intoArray(sums, at + 2 * dim);
        s3.intoArray(sums, at + 3 * dim);
    }

    private static void accumulate1(
            float[] block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int at,
            int dim) {
        FloatVector s = FloatVector.fromArray(Vectors.F, sums, at).mul(decay[0]);
        for (int t = 0; t < tokens; t++) {
            s =
                    FloatVector.fromArray(Vectors.F, block, values + t * dim)
                            .fma(FloatVector.broadcast(Vectors.F, p[t]), s);
        }
        s.intoArray(sums, at);
    }
}
