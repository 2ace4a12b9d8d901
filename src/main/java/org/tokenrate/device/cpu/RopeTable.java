package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Cosines and sines of the rotary embedding: position p turns pair i by p * theta^(-2i/headDim).
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer, equation 15</a>
 */
final class RopeTable {
    private static final int STEP = 1024;

    private final int half;
    private final double[] frequency;
    private int positions;
    private float[] cosines = new float[0];
    private float[] sines = new float[0];

    RopeTable(int headDim, float theta) {
        half = headDim / 2;
        frequency = new double[half];
        for (int i = 0; i < half; i++) frequency[i] = Math.pow(theta, -2.0 * i / headDim);
    }

    /** Makes sure that positions below {@code end} are there; not for use beside readers. */
    void ensure(int end) {
        if (end <= positions) return;
        int grown = (end + STEP - 1) / STEP * STEP;
        cosines = Arrays.copyOf(cosines, grown * half);
        sines = Arrays.copyOf(sines, grown * half);
        for (int p = positions; p < grown; p++) {
            for (int i = 0; i < half; i++) {
                cosines[p * half + i] = (float) Math.cos(p * frequency[i]);
                sines[p * half + i] = (float) Math.sin(p * frequency[i]);
            }
        }
        positions = grown;
    }

    /** Turns one head, half-split: pair i is elements i and i + headDim / 2. */
    void turn(float[] x, int offset, int position) {
        int at = position * half;
        int other = offset + half;
        int i = 0;
        for (; i <= half - Vectors.LANES; i += Vectors.LANES) {
            FloatVector a = FloatVector.fromArray(Vectors.F, x, offset + i);
            FloatVector b = FloatVector.fromArray(Vectors.F, x, other + i);
            FloatVector cos = FloatVector.fromArray(Vectors.F, cosines, at + i);
            FloatVector sin = FloatVector.fromArray(Vectors.F, sines, at + i);
            a.mul(cos).sub(b.mul(sin)).intoArray(x, offset + i);
            b.mul(cos).add(a.mul(sin)).intoArray(x, other + i);
        }
        for (; i < half; i++) {
            float a = x[offset + i];
            float b = x[other + i];
            x[offset + i] = a * cosines[at + i] - b * sines[at + i];
            x[other + i] = b * cosines[at + i] + a * sines[at + i];
        }
    }
}
