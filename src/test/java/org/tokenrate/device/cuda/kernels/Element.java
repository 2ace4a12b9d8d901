package org.tokenrate.device.cuda.kernels;

import java.util.Random;

/** A 16-bit type of the kernels, by its definition: sign, exponent, significand. */
enum Element {
    F16(11, -14, 15),
    BF16(8, -126, 127);

    private final int bits; // of the significand, the hidden one included
    private final int smallest; // exponent of normal numbers
    private final int largest;

    Element(int bits, int smallest, int largest) {
        this.bits = bits;
        this.smallest = smallest;
        this.largest = largest;
    }

    /** What makes the kernels of this type. */
    String option() {
        return "-DTR_TYPE_" + name() + "=1";
    }

    /** Largest relative error of rounding to nearest, for numbers that are not tiny. */
    double unit() {
        return Math.scalb(1.0, -bits);
    }

    /** Half the distance of the tiniest numbers. */
    double tiny() {
        return Math.scalb(1.0, smallest - bits);
    }

    /** Of a number that was rounded once. */
    double roundingOf(double x) {
        return Math.abs(x) * unit() + tiny();
    }

    /** The nearest number of the type, ties to even. */
    short round(double x) {
        if (Double.isNaN(x)) return 0x7fff;
        int sign = (Double.doubleToRawLongBits(x) < 0) ? 0x8000 : 0;
        int exponent = Math.max(smallest, Math.getExponent(x));
        double quantum = Math.scalb(1.0, Math.min(exponent, largest) - (bits - 1));
        long steps =
                (long) Math.rint(Math.min(Math.abs(x), Math.scalb(1.0, largest + 1)) / quantum);
        // A significand that rounds up to the next power of two carries into the exponent by
        // itself.
        long code = ((long) (Math.min(exponent, largest) - smallest) << (bits - 1)) + steps;
        long infinity = (long) (largest - smallest + 2) << (bits - 1);
        return (short) (sign | Math.min(code, infinity));
    }

    double value(short code) {
        int magnitude = code & 0x7fff;
        int exponent = magnitude >> (bits - 1);
        int fraction = magnitude & ((1 << (bits - 1)) - 1);
        double size;
        if (exponent == largest - smallest + 2) {
            size = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            size = Math.scalb((double) fraction, smallest - (bits - 1));
        } else {
            size =
                    Math.scalb(
                            (double) (fraction + (1 << (bits - 1))),
                            exponent - 1 + smallest - (bits - 1));
        }
        return code < 0 ? -size : size;
    }

    double[] values(short[] codes) {
        double[] values = new double[codes.length];
        for (int i = 0; i < codes.length; i++) values[i] = value(codes[i]);
        return values;
    }

    /** Normally distributed. */
    short[] random(Random random, int count, double deviation) {
        short[] codes = new short[count];
        for (int i = 0; i < count; i++) codes[i] = round(random.nextGaussian() * deviation);
        return codes;
    }
}
