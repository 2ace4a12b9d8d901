package org.tokenrate.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class DetectableChangeTest {
    private static final double SPREAD = 0.02;
    private static final int DRAWS = 3_000;

    @Test
    void aChangeOfThatSizeIsFoundFourTimesInFive() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int n : new int[] {5, 8, 12, 40}) {
            double[] like = ofSpread(n);
            double change = new DetectableChange().of(like, like, 0.05);
            int found = 0;
            for (int i = 0; i < DRAWS; i++) {
                double[] a = draws(n, random, 1);
                double[] b = draws(n, random, 1 + change);
                if (RankTest.p(a, b) <= 0.05) found++;
            }
            // Three standard deviations of DRAWS draws, and the error of the simulated 80 %.
            assertEquals(0.8, (double) found / DRAWS, 0.05, n + " forks, seed " + seed);
        }
    }

    @Test
    void whereNoneCanBeFoundThereIsNone() {
        double[] three = ofSpread(3);
        assertTrue(Double.isNaN(new DetectableChange().of(three, three, 0.05)));
    }

    private static double[] draws(int n, Random random, double factor) {
        return random.doubles(n)
                .map(u -> factor * Math.exp(SPREAD * random.nextGaussian()))
                .toArray();
    }

    /** Values whose logarithms have exactly the standard deviation. */
    private static double[] ofSpread(int n) {
        double[] values = new double[n];
        double squares = 0;
        for (int i = 0; i < n; i++) squares += Math.pow(i - (n - 1) / 2.0, 2);
        double scale = SPREAD / Math.sqrt(squares / (n - 1));
        for (int i = 0; i < n; i++) values[i] = Math.exp(scale * (i - (n - 1) / 2.0));
        return values;
    }
}
