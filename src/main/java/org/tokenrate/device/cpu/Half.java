package org.tokenrate.device.cpu;

/** IEEE 754 binary16. */
final class Half {
    private static final float SUBNORMAL_UNIT = 0x1p-24f;

    private Half() {}

    static float toFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = half >>> 10 & 0x1f;
        int mantissa = half & 0x3ff;
        if (exponent == 0) {
            float value = mantissa * SUBNORMAL_UNIT;
            return sign == 0 ? value : -value;
        }
        int wide = exponent == 31 ? 0xff : exponent + 112;
        return Float.intBitsToFloat(sign | wide << 23 | mantissa << 13);
    }
}
