package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class VectorsTest {
    private static final double BOUND = 3e-7;
    private static final int NUMBERS = 200_000;

    @Test
    void theExponentialIsWithinItsErrorBound() {
        long seed = 3;
        Random random = new Random(seed);
        check(-87f);
        check(88f);
        check(0f);
        check(-0f);
        for (int i = 0; i < NUMBERS; i++) {
            check(-87 + 175 * random.nextFloat());
            check((float) random.nextGaussian());
            check(Math.scalb(random.nextFloat(), -random.nextInt(40)));
        }
        // Where the whole number of ln 2 changes.
        for (int n = -125; n < 127; n++) {
            float middle = (float) ((n + 0.5) * Math.log(2));
            check(Math.nextDown(middle));
            check(middle);
            check(Math.nextUp(middle));
        }
    }

    private static void check(float x) {
        double expected = Math.exp(x);
        double error = Math.abs(Vectors.exp(x) - expected) / expected;
        assertTrue(error < BOUND, () -> "relative error " + error + " at " + x);
    }

    @Test
    void argumentsOutsideTheRangeAreClamped() {
        for (float large : new float[] {88.1f, 1000f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
            assertEquals(Vectors.exp(88f), Vectors.exp(large));
        }
        for (float small : new float[] {-87.1f, -1000f, -3e38f, Float.NEGATIVE_INFINITY}) {
            assertEquals(Vectors.exp(-87f), Vectors.exp(small));
        }
    }

    @Test
    void vectorsGiveTheBitsThatSingleNumbersGive() {
        long seed = 4;
        Random random = new Random(seed);
        float[] x = new float[Vectors.LANES];
        float[] y = new float[Vectors.LANES];
        for (int round = 0; round < NUMBERS / Vectors.LANES; round++) {
            for (int i = 0; i < x.length; i++) x[i] = -100 + 200 * random.nextFloat();
            Vectors.exp(FloatVector.fromArray(Vectors.F, x, 0)).intoArray(y, 0);
            for (int i = 0; i < x.length; i++) {
                float expected = Vectors.exp(x[i]);
                if (Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(y[i])) {
                    assertEquals(expected, y[i], "at " + x[i] + ", seed " + seed);
                }
            }
        }
    }

    @Test
    void powersOfWhatIsNotPositiveAreTheSameWithoutComparisons() {
        long seed = 5;
        Random random = new Random(seed);
        float[] y = new float[Vectors.LANES];
        float[] got = new float[Vectors.LANES];
        for (int round = 0; round < NUMBERS / Vectors.LANES; round++) {
            for (int i = 0; i < y.length; i++) y[i] = 100 * random.nextFloat();
            y[0] = 0;
            y[1] = Float.POSITIVE_INFINITY;
            y[2] = Float.MIN_VALUE;
            Vectors.expOfMinus(FloatVector.fromArray(Vectors.F, y, 0)).intoArray(got, 0);
            for (int i = 0; i < y.length; i++) {
                assertEquals(Vectors.exp(-y[i]), got[i], "at " + y[i] + ", seed " + seed);
            }
        }
    }

    @Test
    void theMaximumIsThatOfAnyNumbers() {
        long seed = 6;
        Random random = new Random(seed);
        float[] x = new float[3 * Vectors.LANES];
        for (int round = 0; round < NUMBERS / x.length; round++) {
            float most = Float.NEGATIVE_INFINITY;
            int sign = random.nextInt(3) - 1; // all negative, mixed, all positive
            for (int i = 0; i < x.length; i++) {
                float size = Math.scalb(random.nextFloat(), random.nextInt(200) - 100);
                boolean negative = sign < 0 || sign == 0 && random.nextBoolean();
                x[i] = negative ? -size : size;
                if (random.nextInt(50) == 0) x[i] = Float.NEGATIVE_INFINITY;
                if (i >= Vectors.LANES) most = Math.max(most, x[i]);
            }
            float got = Vectors.maximum(x, Vectors.LANES, 2 * Vectors.LANES);
            assertEquals(most, got, "seed " + seed + ", round " + round);
        }
        x[Vectors.LANES + 1] = Float.NaN;
        assertTrue(Float.isNaN(Vectors.maximum(x, Vectors.LANES, 2 * Vectors.LANES)));
    }
}
