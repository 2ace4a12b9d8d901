package org.tokenrate.history;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * How large the best split of a series without a change is: of {@value #PERMUTATIONS} random orders
 * of its scores. As these are those of ranks, it depends on nothing but the number of points, and
 * is made once for each; the seed is fixed. For use by one thread.
 */
final class NullDistribution {
    static final int PERMUTATIONS = 20_000;

    private static final long SEED = 20_261_124;

    /** Above this many points, lengths are rounded up to one of a few. */
    private static final int EXACT_TO = 40;

    private static final double STEP = 1.06;

    /**
     * Where the variance of the scores is at least this share of that without ties, ties matter
     * little.
     */
    private static final double FEW_TIES = 0.8;

    private final Map<Integer, double[]> untied = new HashMap<>();
    private final Map<List<Double>, double[]> tied = new HashMap<>();
    private final Map<Integer, Windows> windows = new HashMap<>();

    Windows windows(int n) {
        return windows.computeIfAbsent(n, Windows::new);
    }

    /** The chance of a split as large as this, or larger, where these scores change nowhere. */
    double p(double statistic, double[] scores) {
        int n = scores.length;
        double untied = NormalScores.variance(NormalScores.ascending(n));
        if (NormalScores.variance(scores) >= FEW_TIES * untied) return p(statistic, n);
        double[] own = Arrays.stream(scores).sorted().toArray();
        List<Double> key = Arrays.stream(own).boxed().toList();
        return share(tied.computeIfAbsent(key, k -> simulated(own)), statistic);
    }

    /** The same for {@code n} scores without ties. */
    double p(double statistic, int n) {
        if (n < 2 * Windows.SHORTEST_LEVEL) return 1;
        return share(
                untied.computeIfAbsent(
                        roundedUp(n), length -> simulated(NormalScores.ascending(length))),
                statistic);
    }

    /** The p of a series as unlike as can be: its values in ascending order. */
    double smallestP(int n) {
        if (n < 2 * Windows.SHORTEST_LEVEL) return 1;
        return p(windows(n).best(NormalScores.ascending(n)).statistic(), n);
    }

    /** The fewest points of which some order has a p of at most {@code limit}. */
    int needed(double limit) {
        int n = 2 * Windows.SHORTEST_LEVEL;
        while (n < EXACT_TO && smallestP(n) > limit) n++;
        return n;
    }

    /** A longer series has larger splits by chance, so rounding up errs towards no change. */
    private static int roundedUp(int n) {
        if (n <= EXACT_TO) return n;
        double length = EXACT_TO;
        while (Math.ceil(length) < n) length *= STEP;
        return (int) Math.ceil(length);
    }

    private static double share(double[] sorted, double statistic) {
        int at = Arrays.binarySearch(sorted, statistic * (1 - 1e-9));
        int below = at < 0 ? -at - 1 : at;
        return (1.0 + PERMUTATIONS - below) / (1 + PERMUTATIONS);
    }

    private static double[] simulated(double[] scores) {
        int n = scores.length;
        var w = new Windows(n);
        double[] statistics = new double[PERMUTATIONS];
        IntStream.range(0, PERMUTATIONS)
                .parallel()
                .forEach(
                        i -> {
                            var random = new SplittableRandom(SEED + i * 1_000_003L);
                            double[] shuffled = scores.clone();
                            for (int k = n - 1; k > 0; k--) {
                                int other = random.nextInt(k + 1);
                                double held = shuffled[k];
                                shuffled[k] = shuffled[other];
                                shuffled[other] = held;
                            }
                            statistics[i] = w.best(shuffled).statistic();
                        });
        Arrays.sort(statistics);
        return statistics;
    }
}
