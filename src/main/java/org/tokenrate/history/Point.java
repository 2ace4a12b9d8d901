package org.tokenrate.history;

import java.util.Arrays;
import org.tokenrate.compare.Sample;

/**
 * A figure of one state.
 *
 * @param state index of it in {@link History#states()}
 * @param value the median over forks of the medians over their iterations
 * @param low lower end of an interval that holds the median of all forks that could have been run
 *     with at least 95 % confidence; NaN for fewer than six forks, which have none
 * @param high upper end
 * @param least of the forks
 * @param greatest of the forks
 * @param forks how many
 */
public record Point(
        int state,
        double value,
        double low,
        double high,
        double least,
        double greatest,
        int forks) {
    private static final double CONFIDENCE = 0.95;

    /** The median, between two of the values, however they are distributed (Thompson 1936). */
    static Point of(int state, double[] forks) {
        double[] sorted = forks.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        int rank = rank(n);
        return new Point(
                state,
                Sample.median(sorted.clone()),
                rank == 0 ? Double.NaN : sorted[rank - 1],
                rank == 0 ? Double.NaN : sorted[n - rank],
                sorted[0],
                sorted[n - 1],
                n);
    }

    /**
     * The greatest rank r for which the r-th least and the r-th greatest of n values hold the
     * median between them with enough confidence; 0 if there is none. The chance that fewer than r
     * of n values are under the median is that of fewer than r heads of n coins.
     */
    private static int rank(int n) {
        double tail = 0;
        double ways = Math.pow(0.5, n);
        for (int r = 0; r < n; r++) {
            tail += ways;
            if (1 - 2 * tail < CONFIDENCE) return r;
            ways *= (double) (n - r) / (r + 1);
        }
        return 0;
    }
}
