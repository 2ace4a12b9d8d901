package org.tokenrate.report;

import java.util.Arrays;
import org.apache.commons.statistics.distribution.TDistribution;

/** Several iterations' values as one. NaN values, where an iteration has none, are left out. */
final class Summary {
    private Summary() {}

    static double over(Metric.OverIterations how, double[] values) {
        var known = Arrays.stream(values).filter(v -> !Double.isNaN(v));
        return switch (how) {
            case MEAN -> known.average().orElse(Double.NaN);
            // Of nothing there is no sum either: a row that was not measured has not 0 failures.
            case SUM -> known.reduce(Double::sum).orElse(Double.NaN);
            case MIN -> known.min().orElse(Double.NaN);
            case MAX -> known.max().orElse(Double.NaN);
        };
    }

    /**
     * Half the width of the 95 % confidence interval of the mean: t(0.975, n - 1) s / sqrt(n), with
     * Student's t and the sample's standard deviation s. NaN for fewer than two values.
     */
    static double interval95(double[] values) {
        double[] known = Arrays.stream(values).filter(v -> !Double.isNaN(v)).toArray();
        int n = known.length;
        if (n < 2) return Double.NaN;
        double mean = Arrays.stream(known).sum() / n;
        double squares = Arrays.stream(known).map(v -> (v - mean) * (v - mean)).sum();
        double t = TDistribution.of(n - 1).inverseCumulativeProbability(0.975);
        return t * Math.sqrt(squares / (n - 1) / n);
    }
}
