package org.tokenrate.history;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * What stands for values in the search for changes: the quantile of the normal distribution that
 * belongs to a value's rank, Phi^-1(rank / (n + 1)) (van der Waerden, Indagationes Mathematicae 14,
 * 1952). A test on them supposes no distribution, one wild value weighs no more than the largest of
 * its series, and for normal noise nothing is lost against a test on the values (Chernoff and
 * Savage, Annals of Mathematical Statistics 29, 1958).
 */
final class NormalScores {
    private NormalScores() {}

    /** In the order of the values; equal values have the score of their mean rank. */
    static double[] of(double[] values) {
        int n = values.length;
        int[] order =
                IntStream.range(0, n)
                        .boxed()
                        .sorted((a, b) -> Double.compare(values[a], values[b]))
                        .mapToInt(i -> i)
                        .toArray();
        double[] scores = new double[n];
        var normal = NormalDistribution.of(0, 1);
        for (int from = 0; from < n; ) {
            int to = from + 1;
            while (to < n && values[order[to]] == values[order[from]]) to++;
            double rank = (from + 1 + to) / 2.0;
            double score = normal.inverseCumulativeProbability(rank / (n + 1));
            for (int i = from; i < to; i++) scores[order[i]] = score;
            from = to;
        }
        return scores;
    }

    /** Those of n values of which no two are equal, from the least to the greatest. */
    static double[] ascending(int n) {
        return of(IntStream.range(0, n).mapToDouble(i -> i).toArray());
    }

    /** Sum of squares around the mean, divided by n - 1. */
    static double variance(double[] scores) {
        double mean = Arrays.stream(scores).average().orElse(0);
        double squares = Arrays.stream(scores).map(s -> (s - mean) * (s - mean)).sum();
        return squares / (scores.length - 1);
    }
}
