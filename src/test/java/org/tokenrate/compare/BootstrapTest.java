package org.tokenrate.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BootstrapTest {
    private static final int RESAMPLES = 5_000;

    @Test
    void withoutAnySpreadTheIntervalIsTheChange() {
        Interval i = Bootstrap.change95(forks(100, 100, 100), forks(110, 110, 110), RESAMPLES, 1);
        assertEquals(0.1, i.low(), 1e-12);
        assertEquals(0.1, i.high(), 1e-12);
    }

    /**
     * By hand: the median of a resample of 15 is at most the k-th value with the chance that a
     * binomial of 15 and k/15 is 8 or more: 0.004 for k = 3, 0.025 for k = 4. Hesterberg's tail for
     * n = 15 is Phi(-2.220) = 0.0132, between the two: the ends are the 4th and the 12th value.
     */
    @Test
    void theEndsAreTheQuantilesOfTheResampledMedian() {
        Sample base = forks(IntStream.range(0, 15).mapToDouble(i -> 100).toArray());
        Sample candidate = forks(IntStream.rangeClosed(1, 15).mapToDouble(i -> 100 + i).toArray());
        Interval i = Bootstrap.change95(base, candidate, RESAMPLES, 1);
        assertEquals(0.04, i.low(), 1e-12);
        assertEquals(0.12, i.high(), 1e-12);
    }

    @Test
    void iterationsThatScatterWithinForksWidenIt() {
        double[] fork = {90, 100, 110};
        var scattered = new Sample(new double[][] {fork, fork, fork, fork});
        Interval i = Bootstrap.change95(scattered, scattered, RESAMPLES, 1);
        assertTrue(i.low() < -0.05 && i.high() > 0.05, i.toString());
    }

    @Test
    void theSameSeedGivesTheSameInterval() {
        Sample a = forks(101, 99, 104, 97);
        Sample b = forks(111, 98, 107, 105);
        assertEquals(
                Bootstrap.change95(a, b, RESAMPLES, 7), Bootstrap.change95(a, b, RESAMPLES, 7));
    }

    @Test
    void twoForksHaveNoInterval() {
        assertFalse(Bootstrap.change95(forks(1, 2), forks(1, 2, 3), RESAMPLES, 1).isKnown());
    }

    private static Sample forks(double... values) {
        double[][] forks = new double[values.length][];
        for (int i = 0; i < values.length; i++) forks[i] = new double[] {values[i]};
        return new Sample(forks);
    }
}
