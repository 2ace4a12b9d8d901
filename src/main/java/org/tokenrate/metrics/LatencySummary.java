package org.tokenrate.metrics;

import java.util.Arrays;

/**
 * A distribution of times, in seconds. Percentiles are exact: over all samples in order, at rank p
 * (count - 1), linear between neighbours, which is the default of numpy's {@code percentile} and so
 * LMDeploy's.
 *
 * @param count samples; if 0, all else is NaN
 */
public record LatencySummary(
        long count,
        double mean,
        double min,
        double max,
        double p50,
        double p75,
        double p95,
        double p99) {
    private static final double NANOS_PER_SECOND = 1e9;

    /** Of no samples at all: nothing was measured, which is not a time of zero. */
    public static LatencySummary empty() {
        double none = Double.NaN;
        return new LatencySummary(0, none, none, none, none, none, none, none);
    }

    /**
     * @param nanos samples in nanoseconds, in any order; sorted in place
     */
    public static LatencySummary ofNanos(double[] nanos) {
        if (nanos.length == 0) return empty();
        Arrays.sort(nanos);
        double sum = 0;
        for (double n : nanos) sum += n;
        return new LatencySummary(
                nanos.length,
                sum / nanos.length / NANOS_PER_SECOND,
                nanos[0] / NANOS_PER_SECOND,
                nanos[nanos.length - 1] / NANOS_PER_SECOND,
                percentile(nanos, 0.50),
                percentile(nanos, 0.75),
                percentile(nanos, 0.95),
                percentile(nanos, 0.99));
    }

    private static double percentile(double[] sorted, double p) {
        double rank = p * (sorted.length - 1);
        int below = (int) rank;
        int above = Math.min(below + 1, sorted.length - 1);
        double nanos = sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
        return nanos / NANOS_PER_SECOND;
    }
}
