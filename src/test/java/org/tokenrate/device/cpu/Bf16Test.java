package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bf16Test {
    private static final int MAX_LENGTH = 70;

    /** The lower halves at and around a tie, and at the ends. */
    private static final int[] LOWER_HALVES = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};

    @Test
    void everyFloatRoundsToTheNearestAndOfTwoToTheEven() {
        long seed = 1;
        Random random = new Random(seed);
        for (int upper = 0; upper < 1 << 16; upper++) {
            for (int lower : LOWER_HALVES) check(upper << 16 | lower, seed);
            check(upper << 16 | random.nextInt(1 << 16), seed);
        }
    }

    private static void check(int bits, long seed) {
        float x = Float.intBitsToFloat(bits);
        int got = Bf16.bits(x);
        if (Float.isNaN(x)) {
            assertTrue(Float.isNaN(Bf16.toFloat(got)), () -> Integer.toHexString(bits));
        } else if (got != nearest(x)) {
            assertEquals(
                    Integer.toHexString(nearest(x)),
                    Integer.toHexString(got),
                    "of " + Integer.toHexString(bits) + ", seed " + seed);
        }
    }

    /** The nearer of the neighbours towards and away from zero; of equals, the even one. */
    private static int nearest(float x) {
        int towardsZero = Float.floatToRawIntBits(x) >>> 16;
        if (Float.isInfinite(x)) return towardsZero;
        int away = towardsZero + 1;
        double below = Math.abs(x) - magnitude(towardsZero);
        double above = magnitude(away) - Math.abs(x);
        if (below == above) return (towardsZero & 1) == 0 ? towardsZero : away;
        return below < above ? towardsZero : away;
    }

    /** |x| of a bfloat16 by its definition; what follows the largest is 2^128, not infinity. */
    private static double magnitude(int bits) {
        int exponent = bits >>> 7 & 0xff;
        int mantissa = bits & 0x7f;
        return exponent == 0
                ? mantissa * Math.pow(2, -133)
                : (128 + mantissa) * Math.pow(2, exponent - 134);
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 3f80",
        "-2.0, c000",
        "0.0, 0",
        "-0.0, 8000",
        "Infinity, 7f80",
        "-Infinity, ff80",
        "3.4028235e38, 7f80",
        "1.4e-45, 0",
    })
    void knownNumbersHaveTheirKnownBits(float x, String bits) {
        assertEquals(bits, Integer.toHexString(Bf16.bits(x)));
    }

    @Test
    void vectorsConvertAsSingleNumbersDoAtEveryLength() {
        long seed = 2;
        Random random = new Random(seed);
        for (int length = 0; length <= MAX_LENGTH; length++) {
            float[] floats = new float[length];
            short[] expected = new short[length + 1];
            for (int i = 0; i < length; i++) {
                floats[i] = Float.intBitsToFloat(interestingBits(random));
                expected[i] = (short) Bf16.bits(floats[i]);
            }
            expected[length] = 77; // what is behind the last stays as it is
            short[] got = new short[length + 1];
            got[length] = 77;
            Bf16.fromFloats(floats, got, length);
            assertArrayEquals(expected, got, "length " + length + ", seed " + seed);
        }
    }

    /** Any bits, but often those of infinities, NaNs, subnormals and ties. */
    private static int interestingBits(Random random) {
        int bits = random.nextInt();
        return switch (random.nextInt(5)) {
            case 0 -> bits | 0x7f800000;
            case 1 -> bits & 0x807fffff;
            case 2 -> bits & 0xffff0000 | 0x8000;
            case 3 -> bits & 0x80000000 | 0x7f800000;
            default -> bits;
        };
    }

    @Test
    void allBitsWidenToTheFloatOfTheSameUpperHalfAtEveryLength() {
        short[] all = new short[1 << 16];
        for (int i = 0; i < all.length; i++) all[i] = (short) i;
        float[] wide = new float[all.length];
        Bf16.toFloats(all, wide, all.length);
        for (int i = 0; i < all.length; i++) {
            assertEquals(i << 16, Float.floatToRawIntBits(wide[i]));
        }
        for (int length = 0; length <= MAX_LENGTH; length++) {
            float[] some = new float[MAX_LENGTH + 1];
            Bf16.toFloats(Arrays.copyOfRange(all, 0x3f80, 0x3f80 + length), some, length);
            for (int i = 0; i < some.length; i++) {
                float expected = i < length ? Bf16.toFloat(0x3f80 + i) : 0;
                assertEquals(expected, some[i], "length " + length);
            }
        }
    }
}
