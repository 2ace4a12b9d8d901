package org.tokenrate.compare;

import java.util.Arrays;
import java.util.List;

/**
 * What one side measured of one figure.
 *
 * @param forks values by fork and iteration; every fork has at least one
 */
public record Sample(double[][] forks) {

    /** Leaves out what is no number, and forks that have none at all. */
    public static Sample of(List<List<Double>> forks) {
        return new Sample(
                forks.stream()
                        .map(f -> f.stream().mapToDouble(v -> v).filter(Double::isFinite).toArray())
                        .filter(f -> f.length > 0)
                        .toArray(double[][]::new));
    }

    int forkCount() {
        return forks.length;
    }

    /** Changes are ratios, which need values above zero. */
    public boolean isComparable() {
        return forks.length > 0
                && Arrays.stream(forks).flatMapToDouble(Arrays::stream).allMatch(v -> v > 0);
    }

    /** One value a fork: the median of its iterations, which a slow first one does not move. */
    public double[] forkMedians() {
        return Arrays.stream(forks).mapToDouble(f -> median(f.clone())).toArray();
    }

    /** The side's figure: the median of its forks' medians. */
    double median() {
        return median(forkMedians());
    }

    /** Sorts {@code values} in place; NaN if there are none. */
    public static double median(double[] values) {
        int n = values.length;
        if (n == 0) return Double.NaN;
        Arrays.sort(values);
        return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    }
}
