package org.tokenrate.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The stretches of a series in which a split is sought: seeded intervals (Kovács, Bühlmann, Li and
 * Munk, Biometrika 110, 2023), of lengths that shrink by the square root of two, each length
 * overlapping by half or more. A rise and a fall that cancel out over the whole series are each
 * alone in one of them.
 */
final class Windows {
    /** A level lasts for so many points at least: two might be one bad hour of the machine. */
    static final int SHORTEST_LEVEL = 3;

    /** What is a whole number but for rounding is one. */
    private static final double ROUNDING = 1e-9;

    /**
     * The best split of a series.
     *
     * @param statistic the largest squared difference of means, in standard errors; 0 if no split
     *     is possible
     * @param at index of the first point of the new level
     */
    record Split(double statistic, int at) {}

    private record Window(int from, int to, double[] weights) {}

    private final List<Window> all = new ArrayList<>();
    private final int n;

    /** Of series of {@code n} points. */
    Windows(int n) {
        this.n = n;
        Map<Integer, double[]> weights = new HashMap<>();
        for (int layer = 0; ; layer++) {
            double parts = Math.pow(2, layer / 2.0);
            double length = n / parts;
            if (length < 2 * SHORTEST_LEVEL - ROUNDING) return;
            int count = 2 * (int) Math.ceil(parts - ROUNDING) - 1;
            double shift = count == 1 ? 0 : (n - length) / (count - 1);
            for (int i = 0; i < count; i++) {
                int from = (int) Math.floor(i * shift + ROUNDING);
                int to = Math.min(n, (int) Math.ceil(i * shift + length - ROUNDING));
                all.add(new Window(from, to, weights.computeIfAbsent(to - from, Windows::weights)));
            }
        }
    }

    /** The split with the largest difference of means, of all windows; the first of equal ones. */
    Split best(double[] scores) {
        double[] sums = new double[n + 1];
        for (int i = 0; i < n; i++) sums[i + 1] = sums[i] + scores[i];
        double best = 0;
        int at = 0;
        for (Window w : all) {
            double mean = (sums[w.to] - sums[w.from]) / (w.to - w.from);
            for (int a = SHORTEST_LEVEL; a <= w.to - w.from - SHORTEST_LEVEL; a++) {
                double difference = sums[w.from + a] - sums[w.from] - a * mean;
                double q = difference * difference * w.weights[a];
                // Sums in another order differ in their last digits.
                if (q > best * (1 + 1e-12)) {
                    best = q;
                    at = w.from + a;
                }
            }
        }
        double variance = NormalScores.variance(scores);
        return variance > 0 ? new Split(best / variance, at) : new Split(0, 0);
    }

    /**
     * What makes of (sum of the first a - a * mean of all)^2 the squared difference of the means of
     * both parts over 1 / a + 1 / b.
     */
    private static double[] weights(int length) {
        double[] weights = new double[length];
        for (int a = 1; a < length; a++) weights[a] = (double) length / a / (length - a);
        return weights;
    }
}
