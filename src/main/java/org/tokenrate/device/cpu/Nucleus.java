package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * A draw from many of a vocabulary's tokens: from the likeliest {@code topK}, of them the fewest
 * that reach {@code topP}. Logits fall into bins by size, the largest first; a bin's tokens are
 * sorted only where a limit or the draw itself falls into it, which is one bin in a thousand each.
 * One thread's.
 */
final class Nucleus {
    private static final int BINS = 1024;

    /** What is so many temperatures below the largest, e^-32 as likely, shares the last bin. */
    private static final float DEEPEST = 32;

    private final double[] share = new double[BINS];
    private final int[] count = new int[BINS];
    private float[] weight = new float[0];
    private int[] bin = new int[0];
    private long[] sorted = new long[0];
    private int sortedBin;
    private int n;

    /**
     * @param x finite or minus infinity
     * @param largest of x
     * @param u in [0, 1): how far down the kept probability the token is
     * @return its index; of equal logits, the smaller is the likelier
     */
    int draw(float[] x, int n, float largest, int topK, float topP, float temperature, double u) {
        this.n = n;
        if (weight.length < n) {
            weight = new float[n];
            bin = new int[n];
            sorted = new long[n];
        }
        sortedBin = -1;
        weigh(x, largest, temperature);
        fillBins(x, largest, temperature);

        int lastBin = BINS - 1; // the last that holds kept tokens
        int kept = n; // tokens in it and before
        double total = 0;
        int before = 0;
        for (int b = 0; b < BINS; b++) {
            if (before + count[b] >= topK) {
                lastBin = b;
                kept = topK;
                total += before + count[b] == topK ? share[b] : sum(x, b, topK - before);
                break;
            }
            before += count[b];
            total += share[b];
        }
        if (topP >= 1) return at(x, u * total, lastBin, kept);

        double enough = topP * total;
        double nucleus = 0;
        before = 0;
        int b = 0;
        for (; b < lastBin && nucleus + share[b] < enough; b++) {
            before += count[b];
            nucleus += share[b];
        }
        sort(x, b);
        int most = Math.min(kept - before, count[b]);
        int inside = 0;
        while (inside < most && nucleus < enough) nucleus += weight[token(inside++)];
        return at(x, u * nucleus, b, before + inside);
    }

    /** The token at which the probability summed from the likeliest down passes a target. */
    private int at(float[] x, double target, int lastBin, int kept) {
        int before = 0;
        for (int b = 0; b < lastBin; b++) {
            if (target < share[b]) {
                sort(x, b);
                for (int i = 0; i < count[b]; i++) {
                    target -= weight[token(i)];
                    if (target < 0) return token(i);
                }
                return token(count[b] - 1);
            }
            before += count[b];
            target -= share[b];
        }
        if (kept == before) return last(x, lastBin - 1); // sums that differ in their last digit
        sort(x, lastBin);
        for (int i = 0; i < kept - before; i++) {
            target -= weight[token(i)];
            if (target < 0) return token(i);
        }
        return lastOfWeight(kept - before);
    }

    private int last(float[] x, int b) {
        while (count[b] == 0) b--;
        sort(x, b);
        return lastOfWeight(count[b]);
    }

    /** The last of the bin's first tokens that can be drawn at all. */
    private int lastOfWeight(int tokens) {
        int i = tokens - 1;
        while (i > 0 && weight[token(i)] == 0) i--;
        return token(i);
    }

    // weight[i] = e^((x[i] - largest) / temperature)
    private void weigh(float[] x, float largest, float temperature) {
        int i = 0;
        for (; i <= n - Vectors.LANES; i += Vectors.LANES) {
            FloatVector v = FloatVector.fromArray(Vectors.F, x, i);
            VectorMask<Float> possible = v.compare(VectorOperators.GT, Float.NEGATIVE_INFINITY);
            Vectors.exp(v.sub(largest).div(temperature))
                    .blend(0f, possible.not())
                    .intoArray(weight, i);
        }
        for (; i < n; i++) {
            boolean possible = x[i] > Float.NEGATIVE_INFINITY;
            weight[i] = possible ? Vectors.exp((x[i] - largest) / temperature) : 0;
        }
    }

    private void fillBins(float[] x, float largest, float temperature) {
        float perBin = BINS / Math.min(DEEPEST * temperature, Float.MAX_VALUE);
        // Wide bins at a high temperature: no wider than the logits reach.
        float smallest = largest;
        for (int i = 0; i < n; i++) {
            if (x[i] > Float.NEGATIVE_INFINITY) smallest = Math.min(smallest, x[i]);
        }
        if (largest > smallest) perBin = Math.max(perBin, BINS / (largest - smallest));
        perBin = Math.min(perBin, Float.MAX_VALUE);
        int i = 0;
        for (; i <= n - Vectors.LANES; i += Vectors.LANES) {
            FloatVector down = FloatVector.fromArray(Vectors.F, x, i).sub(largest).neg();
            ((IntVector) down.mul(perBin).min(BINS - 1f).convert(VectorOperators.F2I, 0))
                    .intoArray(bin, i);
        }
        for (; i < n; i++) bin[i] = (int) Math.min((largest - x[i]) * perBin, BINS - 1f);
        Arrays.fill(share, 0);
        Arrays.fill(count, 0);
        for (i = 0; i < n; i++) {
            share[bin[i]] += weight[i];
            count[bin[i]]++;
        }
    }

    private double sum(float[] x, int b, int tokens) {
        sort(x, b);
        double sum = 0;
        for (int i = 0; i < tokens; i++) sum += weight[token(i)];
        return sum;
    }

    private void sort(float[] x, int b) {
        if (sortedBin == b) return;
        sortedBin = b;
        int found = 0;
        for (int i = 0; found < count[b]; i++) {
            if (bin[i] == b) sorted[found++] = key(x[i], i);
        }
        Arrays.sort(sorted, 0, found);
    }

    private int token(int i) {
        return (int) sorted[i];
    }

    /** Orders by falling logit, then by rising id, which is its lower half. */
    static long key(float logit, int id) {
        int bits = Float.floatToRawIntBits(logit);
        int rising = bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return (long) ~rising << 32 | id;
    }
}
