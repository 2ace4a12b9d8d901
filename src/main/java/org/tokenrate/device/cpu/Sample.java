package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.tokenrate.device.Batch;

// chosen[i] = argmax or a draw from the top-k, top-p, temperature distribution of logits[i, :]
// logits: [samples, vocabulary] f32. One item a row.
final class Sample implements Team.Task {
    /** As many candidates are kept sorted while the logits pass; {@link Nucleus} is for more. */
    private static final int FEW = 256;

    private final float[][] rows;
    private final long[][] candidates;
    private final Nucleus[] nuclei;
    private CpuTensor logits;
    private Batch batch;
    private int[] chosen;

    Sample(int threads) {
        rows = new float[threads][0];
        candidates = new long[threads][FEW];
        nuclei = new Nucleus[threads];
        for (int i = 0; i < threads; i++) nuclei[i] = new Nucleus();
    }

    void run(Team team, CpuTensor logits, Batch batch, int[] chosen) {
        this.logits = logits;
        this.batch = batch;
        this.chosen = chosen;
        team.run(this, batch.sampleCount());
    }

    @Override
    public void run(int item, int thread) {
        int n = logits.columns();
        if (rows[thread].length < n) rows[thread] = new float[n];
        float[] row = rows[thread];
        logits.get(item, 0, row, 0, n);
        int best = argmax(row, n);
        int topK = batch.topK[item];
        float temperature = batch.temperature[item];
        chosen[item] =
                topK == 1 || temperature == 0
                        ? best
                        : draw(
                                row,
                                n,
                                row[best],
                                topK == 0 ? n : Math.min(topK, n),
                                batch.topP[item],
                                temperature,
                                uniform(batch.seed[item], batch.samplePosition[item]),
                                thread);
    }

    /**
     * The first of the largest.
     *
     * @throws IllegalStateException if one is not a number, or if the largest is infinite
     */
    static int argmax(float[] x, int n) {
        int i = 0;
        float largest = Float.NEGATIVE_INFINITY;
        if (n >= Vectors.LANES) {
            FloatVector v = FloatVector.fromArray(Vectors.F, x, 0);
            for (i = Vectors.LANES; i <= n - Vectors.LANES; i += Vectors.LANES) {
                v = v.max(FloatVector.fromArray(Vectors.F, x, i));
            }
            largest = v.reduceLanes(VectorOperators.MAX);
        }
        for (; i < n; i++) largest = Math.max(largest, x[i]);
        if (!Float.isFinite(largest)) {
            throw new IllegalStateException(
                    "the model's logits are not finite numbers: its weights or this engine are"
                            + " broken");
        }
        i = 0;
        while (x[i] != largest) i++;
        return i;
    }

    /**
     * A draw by inversion: candidates from the likeliest down, until their share of the kept
     * probability passes {@code u}.
     */
    private int draw(
            float[] row,
            int n,
            float largest,
            int topK,
            float topP,
            float temperature,
            double u,
            int thread) {
        if (topK > FEW) return nuclei[thread].draw(row, n, largest, topK, topP, temperature, u);
        long[] sorted = candidates[thread];
        int kept = likeliest(row, n, topK, sorted);
        double total = 0;
        for (int i = 0; i < kept; i++) {
            total += probability(row[index(sorted[i])], largest, temperature);
        }
        double nucleus = 0;
        int inside = 0;
        while (inside < kept && nucleus < topP * total) {
            nucleus += probability(row[index(sorted[inside++])], largest, temperature);
        }
        double target = u * nucleus;
        for (int i = 0; i < inside; i++) {
            target -= probability(row[index(sorted[i])], largest, temperature);
            if (target < 0) return index(sorted[i]);
        }
        return index(sorted[inside - 1]);
    }

    private static double probability(float logit, float largest, float temperature) {
        return Math.exp((logit - largest) / (double) temperature);
    }

    /**
     * Fills {@code out} with the {@code k} likeliest, from the likeliest down (equals: the smaller
     * id first), each as a sortable key over its id.
     */
    private static int likeliest(float[] row, int n, int k, long[] out) {
        int filled = 0;
        for (int i = 0; i < n; i++) {
            long key = Nucleus.key(row[i], i);
            if (filled == k && key >= out[k - 1]) continue;
            int at = filled < k ? filled++ : k - 1;
            while (at > 0 && out[at - 1] > key) {
                out[at] = out[at - 1];
                at--;
            }
            out[at] = key;
        }
        return filled;
    }

    private static int index(long key) {
        return (int) key;
    }

    /**
     * A number in [0, 1) from a counter: the request's seed and the token's position, mixed by
     * SplitMix64's finaliser, so that a draw does not depend on the batch it is made in.
     */
    static double uniform(long seed, int position) {
        long z = mix(seed + 0x9e3779b97f4a7c15L) + position * 0x9e3779b97f4a7c15L;
        return (mix(z) >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
