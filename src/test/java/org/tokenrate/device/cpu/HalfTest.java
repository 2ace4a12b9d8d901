package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HalfTest {
    @Test
    void all65536ValuesAreThoseOfTheirDefinition() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float got = Half.toFloat((short) bits);
            String what = Integer.toHexString(bits);
            double expected = value(bits);
            if (Double.isNaN(expected)) assertTrue(Float.isNaN(got), what);
            else assertEquals(expected, (double) got, what); // tells -0 from 0
        }
    }

    @Test
    void manyAtATimeAreTheSame() {
        for (int odd = 0; odd < 3; odd++) { // ends inside a vector, too
            short[] halves = new short[65536 - odd];
            for (int i = 0; i < halves.length; i++) halves[i] = (short) i;
            float[] got = new float[halves.length];
            Half.toFloats(halves, got, got.length);
            for (int i = 0; i < got.length; i++) {
                assertEquals(Half.toFloat(halves[i]), got[i], Integer.toHexString(i));
            }
        }
    }

    private static double value(int bits) {
        double sign = bits >= 1 << 15 ? -1 : 1;
        int exponent = bits / 1024 % 32;
        int mantissa = bits % 1024;
        if (exponent == 31) return mantissa == 0 ? sign / 0.0 : Double.NaN;
        if (exponent == 0) return sign * mantissa / 1024 * Math.pow(2, -14);
        return sign * (1 + mantissa / 1024.0) * Math.pow(2, exponent - 15);
    }
}
