package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SixteenBitsTest {
    private static final long SEED = 20261124;

    private interface From {
        float of(short bits);
    }

    private interface To {
        short of(float x);
    }

    @Test
    void everyNumberOfBothTypesSurvivesTheWayThroughAFloat() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float f16 = SixteenBits.fromF16((short) bits);
            float bf16 = SixteenBits.fromBf16((short) bits);
            if (!Float.isNaN(f16)) assertEquals((short) bits, SixteenBits.toF16(f16));
            if (!Float.isNaN(bf16)) assertEquals((short) bits, SixteenBits.toBf16(bf16));
            if (Float.isNaN(f16)) assertTrue(isNan(SixteenBits.toF16(f16), 0x7c00));
            if (Float.isNaN(bf16)) assertTrue(isNan(SixteenBits.toBf16(bf16), 0x7f80));
        }
    }

    private static boolean isNan(short bits, int infinity) {
        return (bits & 0x7fff) > infinity;
    }

    @Test
    void f16HasTheValuesOfIeee754() {
        assertEquals(1f, SixteenBits.fromF16((short) 0x3c00));
        assertEquals(-2f, SixteenBits.fromF16((short) 0xc000));
        assertEquals(65504f, SixteenBits.fromF16((short) 0x7bff));
        assertEquals(0x1p-24f, SixteenBits.fromF16((short) 1));
        assertEquals(0x1p-14f, SixteenBits.fromF16((short) 0x0400));
        assertEquals(Float.POSITIVE_INFINITY, SixteenBits.fromF16((short) 0x7c00));
        assertEquals((short) 0x7c00, SixteenBits.toF16(65520f));
        assertEquals((short) 0x7bff, SixteenBits.toF16(Math.nextDown(65520f)));
    }

    @Test
    void whatLiesBetweenGoesToTheNearestAndTiesToEven() {
        requireNearest(SixteenBits::fromF16, SixteenBits::toF16, 0x7bff);
        requireNearest(SixteenBits::fromBf16, SixteenBits::toBf16, 0x7f7f);
    }

    /**
     * @param largest finite number's bits
     */
    private static void requireNearest(From from, To to, int largest) {
        Random random = new Random(SEED);
        for (int i = 0; i < 200_000; i++) {
            short below = (short) random.nextInt(largest);
            float low = from.of(below);
            float high = from.of((short) (below + 1));
            double middle = ((double) low + high) / 2;
            float x = (float) (low + ((double) high - low) * random.nextDouble());
            short nearest =
                    (short) (x < middle || x == middle && below % 2 == 0 ? below : below + 1);
            assertEquals(nearest, to.of(x), "seed " + SEED + ": " + x);
            assertEquals((short) (nearest | 0x8000), to.of(-x), "seed " + SEED + ": -" + x);
            short even = (short) (below % 2 == 0 ? below : below + 1);
            assertEquals(even, to.of((float) middle), "tie of " + low + " and " + high);
        }
    }
}
