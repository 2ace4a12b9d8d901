package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Rope;

/**
 * Cosines and sines of the rotary embedding. Where they depend on the position alone, a row is a
 * position and stays; where they depend on the sequence's length too, a row is a token of the batch
 * and is computed anew each iteration, once for all layers.
 */
final class RopeTable {
    private static final int STEP = 1024;

    private final int headDim;
    private final int half;
    private final Rope rope;
    private final boolean byToken;
    private final double[] frequency;
    private int frequencyLength = -1;
    private int positions;
    private float[] cosines = new float[0];
    private float[] sines = new float[0];
    private Batch prepared;
    private long preparedVersion;

    RopeTable(int headDim, Rope rope) {
        this.headDim = headDim;
        this.rope = rope;
        half = headDim / 2;
        frequency = new double[half];
        byToken = rope.scaling().dependsOnLength();
    }

    /** Makes sure that the batch's rows are there; not for use beside readers. */
    void prepare(Batch batch) {
        if (prepared == batch && preparedVersion == batch.version()) return;
        prepared = batch;
        preparedVersion = batch.version();
        int tokens = batch.tokenCount();
        if (byToken) {
            grow(tokens);
            for (int t = 0; t < tokens; t++) fill(t, batch.positions[t], batch.ropeLength(t));
        } else {
            int end = 0;
            for (int t = 0; t < tokens; t++) end = Math.max(end, batch.positions[t] + 1);
            ensure(end);
        }
    }

    /** The row of a batch's token. */
    int row(Batch batch, int token) {
        return byToken ? token : batch.positions[token];
    }

    /** Makes sure that positions below {@code end} are there. */
    private void ensure(int end) {
        if (end <= positions) return;
        int grown = (end + STEP - 1) / STEP * STEP;
        grow(grown);
        for (int p = positions; p < grown; p++) fill(p, p, 0);
        positions = grown;
    }

    private void grow(int rows) {
        if (rows * half <= cosines.length) return;
        cosines = Arrays.copyOf(cosines, rows * half);
        sines = Arrays.copyOf(sines, rows * half);
    }

    private void fill(int row, int position, int length) {
        if (length != frequencyLength) {
            for (int i = 0; i < half; i++) frequency[i] = rope.frequency(headDim, i, length);
            frequencyLength = length;
        }
        for (int i = 0; i < half; i++) {
            cosines[row * half + i] = (float) Math.cos(position * frequency[i]);
            sines[row * half + i] = (float) Math.sin(position * frequency[i]);
        }
    }

    /** Turns one head, half-split: pair i is elements i and i + headDim / 2. */
    void turn(float[] x, int offset, int row) {
        int at = row * half;
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
