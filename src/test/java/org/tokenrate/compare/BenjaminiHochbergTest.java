package org.tokenrate.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BenjaminiHochbergTest {
    /** The worked example of the paper of 1995, section 4. */
    private static final double[] OF_1995 = {
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0
    };

    @Test
    void thePapersExampleRejectsTheFirstFour() {
        double[] adjusted = new BenjaminiHochberg(OF_1995).adjusted();
        assertEquals(4, Arrays.stream(adjusted).filter(p -> p <= 0.05).count());
    }

    /** Expected: scipy.stats.false_discovery_control 1.17.1. */
    @Test
    void adjustedValuesAreScipys() {
        double[] expected = {
            0.0015,
            0.003,
            0.0095,
            0.035625,
            0.0603,
            0.06385714285714286,
            0.06385714285714286,
            0.0645,
            0.0765,
            0.486,
            0.5811818181818181,
            0.714875,
            0.7532307692307693,
            0.8132142857142857,
            1
        };
        assertArrayEquals(expected, new BenjaminiHochberg(OF_1995).adjusted(), 1e-12);
    }

    @Test
    void theOrderOfTheGivenValuesIsKept() {
        assertArrayEquals(
                new double[] {0.025, 0.05, 0.05, 0.025, 0.8},
                new BenjaminiHochberg(new double[] {0.01, 0.04, 0.03, 0.005, 0.8}).adjusted(),
                1e-12);
    }

    @Test
    void theLimitIsTheLargestPThatWouldStillHaveBeenRejected() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            double[] p = new double[1 + random.nextInt(12)];
            for (int i = 0; i < p.length; i++) p[i] = Math.pow(random.nextDouble(), 4);
            int index = random.nextInt(p.length);
            double limit = new BenjaminiHochberg(p).limit(index, 0.05);
            p[index] = limit * (1 - 1e-9);
            assertTrue(new BenjaminiHochberg(p).adjusted()[index] <= 0.05, "seed " + seed);
            p[index] = limit * (1 + 1e-9);
            assertTrue(new BenjaminiHochberg(p).adjusted()[index] > 0.05, "seed " + seed);
        }
    }
}
