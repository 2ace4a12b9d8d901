package org.tokenrate.compare;

import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.apache.commons.statistics.inference.MannWhitneyUTest;

/**
 * The Mann-Whitney U test, two-sided (Mann and Whitney, Annals of Mathematical Statistics 18,
 * 1947): exact for fewer than 50 values a side without ties, else by the normal approximation with
 * corrections for ties and continuity.
 */
final class RankTest {
    /** From this many values a side on, critical values are those of the normal approximation. */
    private static final int EXACT_BELOW = 50;

    private RankTest() {}

    static double p(double[] a, double[] b) {
        if (DoubleStream.concat(Arrays.stream(a), Arrays.stream(b)).distinct().count() == 1) {
            return 1;
        }
        double p = MannWhitneyUTest.withDefaults().test(a, b).getPValue();
        // With ties the approximation may promise more than so few values can ever show.
        return Math.min(1, Math.max(p, smallestP(a.length, b.length)));
    }

    /** What complete separation gives: 2 / C(n + m, n). */
    static double smallestP(int n, int m) {
        double choose = 1;
        for (int i = 1; i <= n; i++) choose *= (double) (m + i) / i;
        return Math.min(1, 2 / choose);
    }

    /** The fewest values a side that can give a p of at most {@code limit}. */
    static int needed(double limit) {
        int n = 1;
        while (smallestP(n, n) > limit) n++;
        return n;
    }

    /**
     * The smallest U, of n values against m, whose p is at most {@code limit}; n m + 1 if there is
     * none.
     */
    static int criticalU(int n, int m, double limit) {
        if (n >= EXACT_BELOW || m >= EXACT_BELOW) {
            double sd = Math.sqrt(n * (double) m * (n + m + 1) / 12);
            double z = NormalDistribution.of(0, 1).inverseSurvivalProbability(limit / 2);
            return (int) Math.min(n * (double) m + 1, Math.ceil(n * (double) m / 2 + 0.5 + z * sd));
        }
        double[] ways = ways(n, m);
        double all = Arrays.stream(ways).sum();
        double tail = 0;
        int u = 0;
        while (2 * (tail + ways[u]) / all <= limit) tail += ways[u++];
        return n * m + 1 - u;
    }

    /** How many of the orders of n values and m others have each U, from 0 to n m. */
    private static double[] ways(int n, int m) {
        var ways = new double[n + 1][n * m + 1];
        ways[0][0] = 1;
        // The k-th smallest of the n at rank r has r - k of the others below it.
        for (int rank = 1; rank <= n + m; rank++) {
            for (int k = Math.min(rank, n); k >= 1; k--) {
                int below = rank - k;
                if (below > m) continue;
                for (int u = n * m; u >= below; u--) ways[k][u] += ways[k - 1][u - below];
            }
        }
        return ways[n];
    }
}
