package org.tokenrate.cli;

import java.util.Arrays;
import java.util.Locale;

/** Token lengths in five numbers. Percentiles are linear between neighbours, as everywhere. */
record LengthStatistics(double mean, double median, double p95, int longest, long sum) {
    static final String HEADING = row("", "mean", "median", "95 %", "longest", "sum");

    /**
     * @param lengths at least one
     */
    static LengthStatistics of(int[] lengths) {
        int[] sorted = lengths.clone();
        Arrays.sort(sorted);
        long sum = Arrays.stream(sorted).asLongStream().sum();
        return new LengthStatistics(
                (double) sum / sorted.length,
                percentile(sorted, 0.5),
                percentile(sorted, 0.95),
                sorted[sorted.length - 1],
                sum);
    }

    private static double percentile(int[] sorted, double p) {
        double place = p * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    String row(String name) {
        return row(
                name + " tokens",
                decimals(mean),
                decimals(median),
                decimals(p95),
                Texts.number(longest, 0),
                Texts.number(sum, 0));
    }

    private static String decimals(double value) {
        return Texts.number(value, 1);
    }

    private static String row(String... cells) {
        return String.format(Locale.ROOT, "%-13s %10s %10s %10s %10s %15s", (Object[]) cells);
    }
}
