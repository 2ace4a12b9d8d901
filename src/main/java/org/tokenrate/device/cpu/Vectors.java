package org.tokenrate.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The vector shapes of this machine and the few functions that several kernels share. */
final class Vectors {
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    static final int LANES = F.length();

    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;

    /** Adding it leaves a float's nearest whole number in the lowest bits of its mantissa. */
    private static final float ROUND = 12582912f; // 1.5 * 2^23

    private static final float LARGEST = 88f;
    private static final float SMALLEST = -87f;
    private static final int MOST_BITS = Float.floatToRawIntBits(87f);

    private Vectors() {}

    /**
     * e^x, to about two units in the last place; arguments are clamped to [-87, 88]. What is not a
     * number may come out as one: a caller to whom that matters must look before.
     *
     * <p>x = n ln 2 + f with |f| at most ln 2 / 2; e^f by its Taylor series to the sixth power
     * (error under 1.3e-7), times 2^n by adding n to the exponent.
     */
    static FloatVector exp(FloatVector x) {
        return expWithin(x.min(LARGEST).max(SMALLEST));
    }

    /**
     * e^-y for y that is not below 0, clamped to 87. Floats that are not negative are in the order
     * of their bits, and integers are compared in one instruction, floats in six: a comparison of
     * Java's has to mind what is not a number.
     */
    static FloatVector expOfMinus(FloatVector y) {
        return expWithin(y.reinterpretAsInts().min(MOST_BITS).reinterpretAsFloats().neg());
    }

    private static FloatVector expWithin(FloatVector clamped) {
        FloatVector rounded = clamped.mul(LOG2_E).add(ROUND);
        FloatVector n = rounded.sub(ROUND);
        FloatVector f = n.fma(FloatVector.broadcast(F, -LN2_HIGH), clamped);
        f = n.fma(FloatVector.broadcast(F, -LN2_LOW), f);
        FloatVector p = FloatVector.broadcast(F, 1f / 720);
        p = p.fma(f, FloatVector.broadcast(F, 1f / 120));
        p = p.fma(f, FloatVector.broadcast(F, 1f / 24));
        p = p.fma(f, FloatVector.broadcast(F, 1f / 6));
        p = p.fma(f, FloatVector.broadcast(F, 0.5f));
        p = p.fma(f, FloatVector.broadcast(F, 1f));
        p = p.fma(f, FloatVector.broadcast(F, 1f));
        IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    }

    /**
     * The largest of {@code count} numbers from {@code at} on, a multiple of {@link #LANES}; not a
     * number if one is not (of a sign that is not set). Compared as integers whose order is that of
     * the numbers.
     */
    static float maximum(float[] x, int at, int count) {
        IntVector most = ordered(x, at);
        for (int i = at + LANES; i < at + count; i += LANES) most = most.max(ordered(x, i));
        int bits = most.reduceLanes(VectorOperators.MAX);
        return Float.intBitsToFloat(bits ^ bits >> 31 & Integer.MAX_VALUE);
    }

    private static IntVector ordered(float[] x, int at) {
        IntVector bits = FloatVector.fromArray(F, x, at).reinterpretAsInts();
        IntVector flips = bits.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE);
        return bits.lanewise(VectorOperators.XOR, flips);
    }

    /** e^x by the same arithmetic, for the elements behind the last whole vector. */
    static float exp(float x) {
        float clamped = Math.max(Math.min(x, LARGEST), SMALLEST);
        float rounded = clamped * LOG2_E + ROUND;
        float n = rounded - ROUND;
        float f = Math.fma(n, -LN2_HIGH, clamped);
        f = Math.fma(n, -LN2_LOW, f);
        float p = Math.fma(1f / 720, f, 1f / 120);
        p = Math.fma(p, f, 1f / 24);
        p = Math.fma(p, f, 1f / 6);
        p = Math.fma(p, f, 0.5f);
        p = Math.fma(p, f, 1f);
        p = Math.fma(p, f, 1f);
        return Float.intBitsToFloat(
                Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(rounded) << 23));
    }
}
