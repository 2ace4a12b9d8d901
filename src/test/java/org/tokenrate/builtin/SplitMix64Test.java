package org.tokenrate.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SplitMix64Test {
    @Test
    void theNumbersAreThoseOfTheJdksSplittableRandom() {
        for (long seed : new long[] {0, 1, -1, 1_234_567, Long.MIN_VALUE}) {
            var expected = new SplittableRandom(seed);
            var random = new SplitMix64(seed);
            for (int i = 0; i < 1_000; i++) {
                assertEquals(expected.nextLong(), random.nextLong());
            }
        }
    }

    @Test
    void integersCoverTheirRangeAndNothingElse() {
        var random = new SplitMix64(1);
        var seen = new int[7];
        for (int i = 0; i < 7_000; i++) {
            seen[random.between(-3, 3) + 3]++;
        }
        for (int count : seen) {
            assertTrue(count > 850 && count < 1_150, "" + count);
        }
    }

    @Test
    void gaussiansHaveTheMomentsOfTheStandardNormal() {
        var random = new SplitMix64(2);
        int n = 1_000_000;
        double sum = 0;
        double squares = 0;
        double fourths = 0;
        for (int i = 0; i < n; i++) {
            double x = random.nextGaussian();
            sum += x;
            squares += x * x;
            fourths += x * x * x * x;
        }
        assertEquals(0, sum / n, 0.005);
        assertEquals(1, squares / n, 0.01);
        assertEquals(3, fourths / n, 0.05);
    }
}
