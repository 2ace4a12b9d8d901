package org.tokenrate.compare;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * The 95 % interval of a change, by a hierarchical bootstrap: a resample draws forks with
 * replacement, then iterations of each drawn fork, since iterations of one fork are alike (Ren et
 * al., Journal of Applied Statistics 37, 2010; Kalibera and Jones, ISMM 2013). The interval is the
 * expanded percentile one, which for few forks is as much wider than the plain one as Student's t
 * is than the normal distribution (Hesterberg, The American Statistician 69, 2015).
 */
final class Bootstrap {
    static final int RESAMPLES = 5_000;

    private static final int FEWEST_FORKS = 3;
    private static final double LEVEL = 0.95;

    private Bootstrap() {}

    /**
     * Of {@code candidate.median() / base.median() - 1}; unknown with fewer than three forks on a
     * side, which say next to nothing of how forks differ.
     *
     * @param resamples none if 0
     * @param seed the same one gives the same interval
     */
    static Interval change95(Sample base, Sample candidate, int resamples, long seed) {
        int fewer = Math.min(base.forkCount(), candidate.forkCount());
        if (fewer < FEWEST_FORKS || resamples == 0) return Interval.UNKNOWN;
        var random = new SplittableRandom(seed);
        double[] changes = new double[resamples];
        for (int i = 0; i < resamples; i++) {
            changes[i] = resampled(candidate, random) / resampled(base, random) - 1;
        }
        Arrays.sort(changes);
        double tail = tail(fewer);
        return new Interval(quantile(changes, tail), quantile(changes, 1 - tail));
    }

    private static double resampled(Sample s, SplittableRandom random) {
        double[] medians = new double[s.forkCount()];
        for (int f = 0; f < medians.length; f++) {
            double[] fork = s.forks()[random.nextInt(medians.length)];
            double[] drawn = new double[fork.length];
            for (int i = 0; i < drawn.length; i++) drawn[i] = fork[random.nextInt(fork.length)];
            medians[f] = Sample.median(drawn);
        }
        return Sample.median(medians);
    }

    /** Hesterberg's: Phi(-sqrt(n / (n - 1)) t(0.975, n - 1)) in place of 0.025. */
    private static double tail(int n) {
        double t = TDistribution.of(n - 1).inverseCumulativeProbability((1 + LEVEL) / 2);
        return NormalDistribution.of(0, 1).cumulativeProbability(-Math.sqrt(n / (n - 1.0)) * t);
    }

    private static double quantile(double[] sorted, double q) {
        double rank = q * (sorted.length - 1);
        int below = (int) rank;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
    }
}
