package org.tokenrate.device.cpu;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** IEEE 754 binary16. */
final class Half {
    private static final int LANES = Vectors.LANES;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Vectors.I.vectorBitSize() / 2));

    private static final int MAGNITUDE = 0x7fff;
    private static final int INFINITY = 0x7c00;

    /** What a float's exponent is off by when a half's bits are moved to where a float has them. */
    private static final float REBIAS = 0x1p112f;

    private static final int FLOAT_EXPONENT = 0x7f800000;

    private Half() {}

    static float toFloat(short half) {
        int magnitude = half & MAGNITUDE;
        // The product is exact, and turns subnormal halves into normal floats.
        int bits = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude << 13) * REBIAS);
        if (magnitude >= INFINITY) bits |= FLOAT_EXPONENT;
        return Float.intBitsToFloat(bits | (half & ~MAGNITUDE) << 16);
    }

    static void toFloats(short[] from, float[] to, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            IntVector half =
                    (IntVector)
                            ShortVector.fromArray(SHORTS, from, i)
                                    .convertShape(VectorOperators.S2I, Vectors.I, 0);
            IntVector magnitude = half.and(MAGNITUDE);
            IntVector bits =
                    magnitude
                            .lanewise(VectorOperators.LSHL, 13)
                            .reinterpretAsFloats()
                            .mul(REBIAS)
                            .reinterpretAsInts();
            VectorMask<Integer> special = magnitude.compare(VectorOperators.GE, INFINITY);
            bits.lanewise(VectorOperators.OR, FLOAT_EXPONENT, special)
                    .or(half.and(~MAGNITUDE).lanewise(VectorOperators.LSHL, 16))
                    .reinterpretAsFloats()
                    .intoArray(to, i);
        }
        for (; i < count; i++) to[i] = toFloat(from[i]);
    }
}
