package org.tokenrate.compare;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * The smallest change that so many forks of such a spread would have shown in four of five cases
 * (power 0.8, as is usual). It supposes that the logarithms of the forks' values are normal. Safe
 * for use by several threads.
 */
final class DetectableChange {
    private static final double POWER = 0.8;
    private static final int TRIALS = 2_000;
    private static final long SEED = 20_261_124;

    /** Above this many forks a side the normal approximation is near enough, and cheaper. */
    private static final int SIMULATED_TO = 30;

    /** Variance of Mann-Whitney's shift estimate over that of the mean, for normal values. */
    private static final double RANKS_COST = Math.PI / 3;

    private record Size(int n, int m, int criticalU) {}

    /** In standard deviations; few sizes occur in a comparison. */
    private final Map<Size, Double> shifts = new ConcurrentHashMap<>();

    /**
     * As a ratio, e.g. 0.03; NaN where no change could be shown or the spread is unknown.
     *
     * @param limit the largest p that counts as a difference
     */
    double of(double[] base, double[] candidate, double limit) {
        int n = base.length;
        int m = candidate.length;
        if (n < 2 || m < 2 || RankTest.smallestP(n, m) > limit) return Double.NaN;
        double spread = Math.sqrt((squares(base) + squares(candidate)) / (n + m - 2));
        return Math.expm1(spread * shift(n, m, limit));
    }

    private double shift(int n, int m, double limit) {
        if (n > SIMULATED_TO || m > SIMULATED_TO) {
            var normal = NormalDistribution.of(0, 1);
            double z =
                    normal.inverseSurvivalProbability(limit / 2)
                            + normal.inverseCumulativeProbability(POWER);
            return z * Math.sqrt(RANKS_COST * (1.0 / n + 1.0 / m));
        }
        var size = new Size(n, m, RankTest.criticalU(n, m, limit));
        return shifts.computeIfAbsent(size, DetectableChange::simulated);
    }

    /** For each of many draws the least shift that brings U to its critical value. */
    private static double simulated(Size size) {
        var random = new SplittableRandom(SEED);
        double[] shifts = new double[TRIALS];
        for (int t = 0; t < TRIALS; t++) {
            double[] a = random.doubles(size.n).map(DetectableChange::normal).toArray();
            double[] b = random.doubles(size.m).map(DetectableChange::normal).toArray();
            double[] gaps = new double[size.n * size.m];
            for (int i = 0; i < gaps.length; i++) gaps[i] = a[i / size.m] - b[i % size.m];
            Arrays.sort(gaps);
            shifts[t] = gaps[size.criticalU - 1];
        }
        Arrays.sort(shifts);
        return shifts[(int) (POWER * TRIALS)];
    }

    private static double normal(double uniform) {
        return NormalDistribution.of(0, 1)
                .inverseCumulativeProbability(Math.max(uniform, Double.MIN_NORMAL));
    }

    private static double squares(double[] values) {
        double mean = Arrays.stream(values).map(Math::log).average().orElse(Double.NaN);
        return Arrays.stream(values).map(v -> Math.log(v) - mean).map(v -> v * v).sum();
    }
}
