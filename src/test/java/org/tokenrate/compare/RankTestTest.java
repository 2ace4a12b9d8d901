package org.tokenrate.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankTestTest {

    /** Expected: scipy.stats.mannwhitneyu 1.17.1, method="exact". */
    @Test
    void withoutTiesThePIsExact() {
        assertEquals(2.0 / 70, RankTest.p(values(1, 2, 3, 4), values(5, 6, 7, 8)), 1e-12);
        assertEquals(
                0.17748917748917747,
                RankTest.p(values(1.1, 2.3, 3.7, 4.2, 9.5), values(2.9, 5.5, 6.1, 7.7, 8.8, 10.1)),
                1e-12);
    }

    /** Expected: scipy.stats.mannwhitneyu 1.17.1, method="asymptotic". */
    @Test
    void withTiesItIsTheNormalApproximationWithBothCorrections() {
        assertEquals(
                0.10558779671958753,
                RankTest.p(values(1, 2, 2, 3, 5, 6), values(2, 4, 5, 7, 8, 8)),
                1e-9);
    }

    @Test
    void valuesThatAreAllEqualDoNotDiffer() {
        assertEquals(1, RankTest.p(values(3, 3, 3, 3), values(3, 3, 3, 3)));
    }

    @Test
    void tiesDoNotMakeFewValuesSayMoreThanTheyCan() {
        double p = RankTest.p(values(1, 1, 1), values(2, 2, 2));
        assertTrue(p >= RankTest.smallestP(3, 3), "p " + p);
    }

    @Test
    void completeSeparationIsTwoOverNChooseK() {
        assertEquals(1, RankTest.smallestP(1, 1));
        assertEquals(2.0 / 20, RankTest.smallestP(3, 3), 1e-15);
        assertEquals(2.0 / 252, RankTest.smallestP(5, 5), 1e-15);
        assertEquals(2.0 / 56, RankTest.smallestP(3, 5), 1e-15);
    }

    @Test
    void fourASideAreNeededForFivePercentAndFiveForOne() {
        assertEquals(4, RankTest.needed(0.05));
        assertEquals(5, RankTest.needed(0.01));
        assertEquals(7, RankTest.needed(0.05 / 27));
    }

    /** Lays out samples with every U there is and asks the test itself. */
    @Test
    void theCriticalUIsTheLeastWhosePIsWithinTheLimit() {
        for (int n = 2; n <= 6; n++) {
            for (int m = 2; m <= 6; m++) {
                for (double limit : new double[] {0.2, 0.05, 0.01}) {
                    int critical = RankTest.criticalU(n, m, limit);
                    for (int u = (n * m + 1) / 2; u <= n * m; u++) {
                        boolean within = pOfU(n, m, u) <= limit;
                        assertEquals(u >= critical, within, n + ", " + m + ", U " + u);
                    }
                }
            }
        }
    }

    /** The b of rank i has as many of a below it as its share of U. */
    private static double pOfU(int n, int m, int u) {
        double[] a = new double[n];
        for (int i = 0; i < n; i++) a[i] = i + 1;
        List<Double> b = new ArrayList<>();
        int left = u;
        for (int i = 0; i < m; i++) {
            int below = Math.min(n, left);
            left -= below;
            b.add(below + 0.5 + i * 0.01);
        }
        return RankTest.p(a, b.stream().mapToDouble(v -> v).toArray());
    }

    private static double[] values(double... values) {
        return values;
    }
}
