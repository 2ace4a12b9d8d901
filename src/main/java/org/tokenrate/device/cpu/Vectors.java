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

    private Vectors() {}

    /**
     * e^x, to about two units in the last place; arguments are clamped to [-87, 88]. What is not a
     * number may come out as one: a caller to whom that matters must look before.
     *
     * <p>x = n ln 2 + f with |f| at most ln 2 / 2; e^f by its Taylor series to the sixth power
     * (error under 1.3e-7), times 2^n by adding n to the exponent.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.min(LARGEST).max(SMALLEST);
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
