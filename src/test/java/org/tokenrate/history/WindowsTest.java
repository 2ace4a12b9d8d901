package org.tokenrate.history;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class WindowsTest {

    /** CPython: statistics.NormalDist().inv_cdf(rank / (n + 1)). */
    @Test
    void scoresAreThoseOfTheRanksAndEqualValuesShareOne() {
        assertArrayEquals(
                new double[] {0.6744897501960817, -0.6744897501960817, 0},
                NormalScores.of(new double[] {1000, -5, 7}),
                1e-12);
        // Ranks 1, 2.5, 2.5, 4 of 4.
        assertArrayEquals(
                new double[] {0, -0.8416212335729143, 0, 0.8416212335729143},
                NormalScores.of(new double[] {2, 1, 2, 3}),
                1e-12);
    }

    /**
     * By a CPython script, of the whole series only: ((mean difference)^2 a b / n / variance, a).
     */
    @Test
    void theStatisticOfOneSeriesIsThatOfAScriptOnPaper() {
        double[] scores =
                NormalScores.of(new double[] {101, 99, 100, 102, 98, 107, 105, 108, 106, 109});
        Windows.Split split = new Windows(10).best(scores);
        assertEquals(PAPER, split.statistic(), 1e-9);
        assertEquals(5, split.at());
    }

    private static final double PAPER = 6.349304165777721;

    /** Energy statistics from all pairs, over every window and split: O(n^3) and more. */
    @Property(tries = 60)
    void theBestSplitIsThatOfThePlainEnergyStatistic(
            @ForAll @IntRange(min = 6, max = 40) int n, @ForAll long seed) {
        var random = new SplittableRandom(seed);
        double[] scores = NormalScores.of(random.doubles(n).toArray());
        double best = 0;
        for (int layer = 0; n * Math.pow(2, -layer / 2.0) >= 6 - 1e-9; layer++) {
            double length = n * Math.pow(2, -layer / 2.0);
            int count = 2 * (int) Math.ceil(Math.pow(2, layer / 2.0) - 1e-9) - 1;
            for (int i = 0; i < count; i++) {
                double start = count == 1 ? 0 : (n - length) / (count - 1) * i;
                int from = (int) Math.floor(start + 1e-9);
                int to = Math.min(n, (int) Math.ceil(start + length - 1e-9));
                for (int at = from + 3; at <= to - 3; at++) {
                    best = Math.max(best, energy(scores, from, at, to));
                }
            }
        }
        double expected = best / 2 / NormalScores.variance(scores);
        assertEquals(expected, new Windows(n).best(scores).statistic(), 1e-9, "seed " + seed);
    }

    /**
     * a b / (a + b) (2 E|X - Y|^2 - E|X - X'|^2 - E|Y - Y'|^2), Matteson and James with alpha 2.
     */
    private static double energy(double[] x, int from, int at, int to) {
        double between = squares(x, from, at, at, to);
        double left = squares(x, from, at, from, at);
        double right = squares(x, at, to, at, to);
        double a = at - from;
        double b = to - at;
        return a * b / (a + b) * (2 * between - left - right);
    }

    private static double squares(double[] x, int from, int to, int otherFrom, int otherTo) {
        double sum = 0;
        for (int i = from; i < to; i++) {
            for (int j = otherFrom; j < otherTo; j++) sum += (x[i] - x[j]) * (x[i] - x[j]);
        }
        return sum / (to - from) / (otherTo - otherFrom);
    }
}
