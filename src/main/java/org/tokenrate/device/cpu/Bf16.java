package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * bfloat16: the upper half of a float, rounded to nearest even. A value that is not a number stays
 * one.
 */
final class Bf16 {
    private static final int NOT_A_NUMBER = 0x7fc0;
    private static final int LANES = Vectors.LANES;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Vectors.I.vectorBitSize() / 2));

    private Bf16() {}

    /** The 16 bits, in the lower half of the result. */
    static int bits(float x) {
        if (x != x) return NOT_A_NUMBER;
        int bits = Float.floatToRawIntBits(x);
        return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }

    /** The 16 bits of each lane, in the lower half of each lane of the result. */
    static IntVector bits(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(0x7fff).add(odd).lanewise(VectorOperators.LSHR, 16);
        return rounded.blend(NOT_A_NUMBER, x.test(VectorOperators.IS_NAN).cast(Vectors.I));
    }

    static float toFloat(int bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    static void fromFloats(float[] from, short[] to, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            bits(FloatVector.fromArray(Vectors.F, from, i))
                    .convertShape(VectorOperators.I2S, SHORTS, 0)
                    .reinterpretAsShorts()
                    .intoArray(to, i);
        }
        for (; i < count; i++) to[i] = (short) bits(from[i]);
    }

    static void toFloats(short[] from, float[] to, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            ((IntVector)
                            ShortVector.fromArray(SHORTS, from, i)
                                    .convertShape(VectorOperators.S2I, Vectors.I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(to, i);
        }
        for (; i < count; i++) to[i] = toFloat(from[i]);
    }
}
