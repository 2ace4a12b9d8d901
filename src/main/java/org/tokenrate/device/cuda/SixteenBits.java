package org.tokenrate.device.cuda;

/** Conversions between 32-bit floats and the two 16-bit types, rounded to nearest, ties to even. */
final class SixteenBits {
    private SixteenBits() {}

    static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    static short toBf16(float x) {
        int bits = Float.floatToRawIntBits(x);
        if (Float.isNaN(x)) return 0x7fff;
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    static float fromF16(short bits) {
        int exponent = bits >>> 10 & 0x1f;
        int mantissa = bits & 0x3ff;
        float size =
                exponent == 0
                        ? mantissa * 0x1p-24f
                        : Float.intBitsToFloat(
                                (exponent == 31 ? 255 : exponent + 112) << 23 | mantissa << 13);
        return bits < 0 ? -size : size;
    }

    /** What is too large becomes infinite. */
    static short toF16(float x) {
        int bits = Float.floatToRawIntBits(x);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude > 0x7f800000) return 0x7fff; // not a number
        if (magnitude >= 0x47800000) return (short) (sign | 0x7c00); // 65536 and more
        if (magnitude < 0x38800000) {
            // Subnormal: adding 0.5 leaves the multiple of 2^-24 in the last bits.
            float shifted = Float.intBitsToFloat(magnitude) + 0.5f;
            return (short) (sign | Float.floatToRawIntBits(shifted) - 0x3f000000);
        }
        int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
        return (short) (sign | (rounded >>> 13) - (112 << 10));
    }
}
