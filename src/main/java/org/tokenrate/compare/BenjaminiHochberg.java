package org.tokenrate.compare;

import java.util.Arrays;

/**
 * Keeps the share of wrong "differences" among those seen at a level, over many tests (Benjamini
 * and Hochberg, Journal of the Royal Statistical Society B 57, 1995). Where nothing differs at all,
 * the chance of even one is at most that level. It holds for tests that go up and down together, as
 * these do (Benjamini and Yekutieli, Annals of Statistics 29, 2001).
 */
public final class BenjaminiHochberg {
    private final double[] p;
    private final double[] sorted;

    public BenjaminiHochberg(double[] p) {
        this.p = p.clone();
        sorted = p.clone();
        Arrays.sort(sorted);
    }

    /** Adjusted p-values, in the order of the given ones; a difference is one at most the level. */
    public double[] adjusted() {
        int m = sorted.length;
        double[] byRank = new double[m];
        double least = 1;
        for (int rank = m; rank >= 1; rank--) {
            least = Math.min(least, sorted[rank - 1] * m / rank);
            byRank[rank - 1] = least;
        }
        return Arrays.stream(p).map(v -> byRank[notAbove(v) - 1]).toArray();
    }

    /**
     * The largest p that test {@code index} could have had and still be called different at {@code
     * level}, the other tests being what they are.
     */
    public double limit(int index, double level) {
        int m = sorted.length;
        for (int rank = m; rank > 1; rank--) {
            double limit = rank * level / m;
            int others = notAbove(limit) - (p[index] <= limit ? 1 : 0);
            if (others >= rank - 1) return limit;
        }
        return level / m;
    }

    /** How many of the p-values are at most this. */
    private int notAbove(double value) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] <= value) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
