package org.tokenrate.device.cpu;

import static org.tokenrate.device.cpu.FourBitWeights.INPUTS_PER_INT;
import static org.tokenrate.device.cpu.FourBitWeights.PANEL;
import static org.tokenrate.device.cpu.Vectors.F;
import static org.tokenrate.device.cpu.Vectors.I;
import static org.tokenrate.device.cpu.Vectors.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Unpacking of 4-bit weights. A nibble in bits 19 to 22 under the exponent of 16 is the float
 * {@code 16 + q}, exactly: a mask and an or instead of a conversion, and a turn of the int brings
 * the next one there. With {@code c = -(16 + z) s}, a weight is {@code (16 + q) s + c}.
 *
 * <p>Loops are kept as small as they are because the compiler stops inlining, and so allocates
 * every vector, in a method of more than about thirty vector operations.
 */
final class FourBitKernel {
    /** The bits of the float 16, whose mantissa is 0. */
    private static final int SIXTEEN = 0x41800000;

    /** Where whole numbers are in the mantissa of 16. */
    private static final int UNITS = 0x00780000;

    /** Up to which bit a nibble has to be moved. */
    static final int UNITS_SHIFT = 19;

    /** From binary16's exponent bias to binary32's. */
    private static final float REBIAS = 0x1p112f;

    private static final int NIBBLE = 4;

    private FourBitKernel() {}

    /** {@code 16 + q} of the nibbles at {@link #UNITS}. */
    private static FloatVector units(IntVector w, IntVector mask, IntVector sixteen) {
        return w.and(mask).or(sixteen).reinterpretAsFloats();
    }

    private static IntVector turn(IntVector w, int bits) {
        return w.lanewise(VectorOperators.ROR, bits);
    }

    // s[o] = the scale, c[o] = -(16 + z) s[o] of a panel's group
    private static void scales(int[] groups, int at, float[] s, float[] c) {
        for (int o = 0; o < PANEL; o += LANES) {
            IntVector packed = IntVector.fromArray(I, groups, at + o);
            FloatVector scale =
                    packed.lanewise(VectorOperators.ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(REBIAS);
            FloatVector zero =
                    packed.lanewise(VectorOperators.LSHL, UNITS_SHIFT)
                            .and(UNITS)
                            .or(SIXTEEN)
                            .reinterpretAsFloats();
            scale.intoArray(s, o);
            zero.mul(scale).neg().intoArray(c, o);
        }
    }

    // out[i / 2][o] = bf16(W[o][i]) | bf16(W[o][i + 1]) << 16      out: [group / 2, 64] ints
    // One group of one panel, as oneDNN's products want it. s, c: room for 64 each.
    static void expandToBf16(
            FourBitWeights weights, int panel, int group, float[] s, float[] c, int[] out) {
        scales(weights.groups(), weights.groupAt(panel, group), s, c);
        int from = weights.nibblesAt(panel, group * weights.groupSize());
        int ints = weights.groupSize() / INPUTS_PER_INT;
        for (int o = 0; o < PANEL; o += LANES) {
            expandColumn(weights.nibbles(), from + o, ints, s, c, o, out);
        }
    }

    private static void expandColumn(
            int[] nibbles, int from, int ints, float[] s, float[] c, int o, int[] out) {
        FloatVector scale = FloatVector.fromArray(F, s, o);
        FloatVector offset = FloatVector.fromArray(F, c, o);
        IntVector mask = IntVector.broadcast(I, UNITS);
        IntVector sixteen = IntVector.broadcast(I, SIXTEEN);
        IntVector half = IntVector.broadcast(I, 0x8000);
        IntVector upper = IntVector.broadcast(I, 0xffff0000);
        int to = o;
        for (int i = 0; i < ints; i++) {
            IntVector w = IntVector.fromArray(I, nibbles, from + i * PANEL);
            for (int j = 0; j < INPUTS_PER_INT / 2; j++) {
                FloatVector low = units(w, mask, sixteen).fma(scale, offset);
                FloatVector high = units(turn(w, NIBBLE), mask, sixteen).fma(scale, offset);
                // Rounded to nearest; ties, one in 65,536, away from zero.
                IntVector lower =
                        low.reinterpretAsInts().add(half).lanewise(VectorOperators.LSHR, 16);
                high.reinterpretAsInts().add(half).and(upper).or(lower).intoArray(out, to);
                w = turn(w, 2 * NIBBLE);
                to += PANEL;
            }
        }
    }

    // out[i][o] = W[o][i]      out: [group, 64] f32
    static void expandToF32(
            FourBitWeights weights, int panel, int group, float[] s, float[] c, float[] out) {
        scales(weights.groups(), weights.groupAt(panel, group), s, c);
        int from = weights.nibblesAt(panel, group * weights.groupSize());
        for (int o = 0; o < PANEL; o += LANES) {
            FloatVector scale = FloatVector.fromArray(F, s, o);
            FloatVector offset = FloatVector.fromArray(F, c, o);
            IntVector mask = IntVector.broadcast(I, UNITS);
            IntVector sixteen = IntVector.broadcast(I, SIXTEEN);
            for (int i = 0; i < weights.groupSize(); i += INPUTS_PER_INT) {
                IntVector w =
                        IntVector.fromArray(
                                I, weights.nibbles(), from + i / INPUTS_PER_INT * PANEL + o);
                for (int j = 0; j < INPUTS_PER_INT; j++) {
                    units(w, mask, sixteen).fma(scale, offset).intoArray(out, (i + j) * PANEL + o);
                    w = turn(w, NIBBLE);
                }
            }
        }
    }

    // y[r][o] = sum of x[r][i] W[o][i] over all i      x: [rows, inputs]; y: [rows, 64]
    // sums[r][g]: the inputs of group g added up. Over a group, (16 + q) x is summed into part;
    // then
    // s times that and c times the inputs' sum go to y: a weight costs one multiplication. s, c:
    // room for 64 each; part: for 128.
    static void multiply(
            FourBitWeights weights,
            int panel,
            float[] x,
            float[] sums,
            int rows,
            float[] s,
            float[] c,
            float[] part,
            float[] y) {
        int inputs = weights.inputs();
        int groupSize = weights.groupSize();
        int groups = inputs / groupSize;
        for (int i = 0; i < rows * PANEL; i++) y[i] = 0;
        for (int g = 0; g < groups; g++) {
            int w = weights.nibblesAt(panel, g * groupSize);
            scales(weights.groups(), weights.groupAt(panel, g), s, c);
            for (int r = 0; r < rows; r += 2) {
                boolean two = r + 1 < rows;
                int at = r * inputs + g * groupSize;
                int stride = two ? inputs : 0; // a last row alone is its own second
                for (int o = 0; o < PANEL; o += 4 * LANES) {
                    sumTwo(weights.nibbles(), w + o, x, at, stride, groupSize, part, o);
                }
                addScaled(part, 0, s, c, sums[r * groups + g], y, r * PANEL);
                if (two) {
                    addScaled(part, PANEL, s, c, sums[(r + 1) * groups + g], y, (r + 1) * PANEL);
                }
            }
        }
    }

    /** Two rows, which share the unpacking: eight sums, so that none has to wait for itself. */
    private static void sumTwo(
            int[] nibbles, int w, float[] x, int at, int stride, int count, float[] part, int o) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        IntVector mask = IntVector.broadcast(I, UNITS);
        IntVector sixteen = IntVector.broadcast(I, SIXTEEN);
        for (int i = 0; i < count; i += INPUTS_PER_INT) {
            int from = w + i / INPUTS_PER_INT * PANEL;
            IntVector w0 = IntVector.fromArray(I, nibbles, from);
            IntVector w1 = IntVector.fromArray(I, nibbles, from + LANES);
            IntVector w2 = IntVector.fromArray(I, nibbles, from + 2 * LANES);
            IntVector w3 = IntVector.fromArray(I, nibbles, from + 3 * LANES);
            for (int j = 0; j < INPUTS_PER_INT; j++) {
                FloatVector u = FloatVector.broadcast(F, x[at + i + j]);
                FloatVector v = FloatVector.broadcast(F, x[at + stride + i + j]);
                FloatVector q0 = units(w0, mask, sixteen);
                FloatVector q1 = units(w1, mask, sixteen);
                FloatVector q2 = units(w2, mask, sixteen);
                FloatVector q3 = units(w3, mask, sixteen);
                a0 = q0.fma(u, a0);
                a1 = q1.fma(u, a1);
                a2 = q2.fma(u, a2);
                a3 = q3.fma(u, a3);
                b0 = q0.fma(v, b0);
                b1 = q1.fma(v, b1);
                b2 = q2.fma(v, b2);
                b3 = q3.fma(v, b3);
                w0 = turn(w0, NIBBLE);
                w1 = turn(w1, NIBBLE);
                w2 = turn(w2, NIBBLE);
                w3 = turn(w3, NIBBLE);
            }
        }
        a0.intoArray(part, o);
        a1.intoArray(part, o + LANES);
        a2.intoArray(part, o + 2 * LANES);
        a3.intoArray(part, o + 3 * LANES);
        b0.intoArray(part, PANEL + o);
        b1.intoArray(part, PANEL + o + LANES);
        b2.intoArray(part, PANEL + o + 2 * LANES);
        b3.intoArray(part, PANEL + o + 3 * LANES);
    }

    private static void addScaled(
            float[] part, int at, float[] s, float[] c, float sum, float[] y, int yAt) {
        for (int o = 0; o < PANEL; o += LANES) {
            FloatVector start =
                    FloatVector.fromArray(F, c, o)
                            .fma(
                                    FloatVector.broadcast(F, sum),
                                    FloatVector.fromArray(F, y, yAt + o));
            FloatVector.fromArray(F, part, at + o)
                    .fma(FloatVector.fromArray(F, s, o), start)
                    .intoArray(y, yAt + o);
        }
    }
}
