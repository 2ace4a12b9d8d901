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
 * Unpacking of 4-bit weights. A nibble under the exponent of 128 is the number {@code 128 + q},
 * exactly, in bfloat16 as in f32: a mask and an or instead of a conversion. Products are taken with
 * those numbers; over a group, {@code sum (q - z) s x = s sum (128 + q) x - (128 + z) s sum x}.
 *
 * <p>Loops are kept as small as they are because the compiler stops inlining, and so allocates
 * every vector, in a method of more than about thirty vector operations.
 */
final class FourBitKernel {
    /** The bits of the float 128; its mantissa is 0. */
    private static final int BASE = 0x43000000;

    /** Where whole numbers are in the mantissa of the float 128. */
    private static final int UNITS = 0x000f0000;

    private static final int UNITS_SHIFT = 16;

    /** The same of two bfloat16s. */
    private static final int BASES = 0x43004300;

    private static final int PAIR = 0x000f000f;

    /** From binary16's exponent bias to binary32's. */
    private static final float REBIAS = 0x1p112f;

    private static final int NIBBLE = 4;
    private static final int INPUTS_PER_HALF = INPUTS_PER_INT / 2;

    /** The inputs of an int as they come to {@link #UNITS}: those of its upper half first. */
    private static final int[] READING_ORDER = {1, 3, 5, 7, 0, 2, 4, 6};

    private FourBitKernel() {}

    /** {@code 128 + q} of the nibbles at {@link #UNITS}. */
    private static FloatVector units(IntVector w, IntVector mask, IntVector base) {
        return w.and(mask).or(base).reinterpretAsFloats();
    }

    /**
     * The upper four nibbles of each int, or with {@code up = 16} the lower four in their place.
     */
    private static IntVector half(int[] nibbles, int from, int up) {
        return IntVector.fromArray(I, nibbles, from).lanewise(VectorOperators.LSHL, up);
    }

    /** Brings the next nibble to {@link #UNITS}: a shift, since AVX2 has no rotation. */
    private static IntVector next(IntVector w) {
        return w.lanewise(VectorOperators.LSHR, NIBBLE);
    }

    // s[at + o] = the scale, c[at + o] = -(128 + z) times it, of a panel's group
    static void scales(FourBitWeights weights, int panel, int group, float[] s, float[] c, int at) {
        int[] groups = weights.groups();
        int from = weights.groupAt(panel, group);
        for (int o = 0; o < PANEL; o += LANES) {
            IntVector packed = IntVector.fromArray(I, groups, from + o);
            FloatVector scale =
                    packed.lanewise(VectorOperators.ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(REBIAS);
            FloatVector zero =
                    packed.lanewise(VectorOperators.LSHL, UNITS_SHIFT)
                            .and(UNITS)
                            .or(BASE)
                            .reinterpretAsFloats();
            scale.intoArray(s, at + o);
            zero.mul(scale).neg().intoArray(c, at + o);
        }
    }

    // out[i / 2][o] = bf16(128 + q[o][i]) | bf16(128 + q[o][i + 1]) << 16      out: [group / 2, 64]
    // One group of one panel, as oneDNN's products want it.
    static void expandToBf16(FourBitWeights weights, int panel, int group, int[] out, int outAt) {
        int[] nibbles = weights.nibbles();
        int from = weights.nibblesAt(panel, group * weights.groupSize());
        int count = weights.groupSize() / INPUTS_PER_INT * PANEL;
        IntVector mask = IntVector.broadcast(I, PAIR);
        IntVector bases = IntVector.broadcast(I, BASES);
        for (int i = 0; i < count; i += PANEL) {
            for (int o = 0; o < PANEL; o += LANES) {
                IntVector w = IntVector.fromArray(I, nibbles, from + i + o);
                int to = outAt + 4 * i + o;
                w.and(mask).or(bases).intoArray(out, to);
                pair(w, 4, mask, bases).intoArray(out, to + PANEL);
                pair(w, 8, mask, bases).intoArray(out, to + 2 * PANEL);
                pair(w, 12, mask, bases).intoArray(out, to + 3 * PANEL);
            }
        }
    }

    private static IntVector pair(IntVector w, int shift, IntVector mask, IntVector bases) {
        return w.lanewise(VectorOperators.LSHR, shift).and(mask).or(bases);
    }

    // out[i][o] = 128 + q[o][i]      out: [group, 64] f32
    static void expandToF32(FourBitWeights weights, int panel, int group, float[] out, int outAt) {
        int[] nibbles = weights.nibbles();
        int from = weights.nibblesAt(panel, group * weights.groupSize());
        IntVector mask = IntVector.broadcast(I, UNITS);
        IntVector base = IntVector.broadcast(I, BASE);
        for (int i = 0; i < weights.groupSize(); i += INPUTS_PER_INT) {
            for (int o = 0; o < PANEL; o += LANES) {
                int at = from + i / INPUTS_PER_INT * PANEL + o;
                for (int j = 0; j < INPUTS_PER_INT; j++) {
                    IntVector w = half(nibbles, at, j < INPUTS_PER_HALF ? 0 : UNITS_SHIFT);
                    w = w.lanewise(VectorOperators.LSHR, NIBBLE * (j % INPUTS_PER_HALF));
                    int to = outAt + (i + READING_ORDER[j]) * PANEL + o;
                    units(w, mask, base).intoArray(out, to);
                }
            }
        }
    }

    /**
     * Puts a row's inputs, eight by eight, into the order in which {@link #multiply} reads them.
     */
    static void reorder(float[] row, int count, float[] to, int toAt) {
        for (int i = 0; i < count; i += INPUTS_PER_INT) {
            for (int j = 0; j < INPUTS_PER_INT; j++) to[toAt + i + j] = row[i + READING_ORDER[j]];
        }
    }

    // y[r][o] += s[g][o] times the sum of (128 + q) x over group g, for all g
    // x: [rows, inputs], reordered; y: [rows, width]; s: [groups, width]; width = 64 panels; part:
    // room for 128.
    static void multiply(
            FourBitWeights weights, float[] x, int rows, float[] s, float[] part, float[] y) {
        int inputs = weights.inputs();
        int groupSize = weights.groupSize();
        int[] nibbles = weights.nibbles();
        int width = weights.panels() * PANEL;
        for (int g = 0; g < inputs / groupSize; g++) {
            for (int panel = 0; panel < weights.panels(); panel++) {
                int w = weights.nibblesAt(panel, g * groupSize);
                int yAt = panel * PANEL;
                int sAt = g * width + yAt;
                for (int r = 0; r < rows; r += 2) {
                    boolean two = r + 1 < rows;
                    int at = r * inputs + g * groupSize;
                    for (int o = 0; o < PANEL; o += 4 * LANES) {
                        if (two) sumTwo(nibbles, w + o, x, at, inputs, groupSize, part, o);
                        else sumOne(nibbles, w + o, x, at, groupSize, part, o);
                    }
                    addScaled(part, 0, s, sAt, y, r * width + yAt);
                    if (two) addScaled(part, PANEL, s, sAt, y, (r + 1) * width + yAt);
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
        IntVector base = IntVector.broadcast(I, BASE);
        for (int i = 0; i < count; i += INPUTS_PER_HALF) {
            int from = w + i / INPUTS_PER_INT * PANEL;
            int up = i % INPUTS_PER_INT == 0 ? 0 : UNITS_SHIFT;
            IntVector w0 = half(nibbles, from, up);
            IntVector w1 = half(nibbles, from + LANES, up);
            IntVector w2 = half(nibbles, from + 2 * LANES, up);
            IntVector w3 = half(nibbles, from + 3 * LANES, up);
            for (int j = 0; j < INPUTS_PER_HALF; j++) {
                FloatVector u = FloatVector.broadcast(F, x[at + i + j]);
                FloatVector v = FloatVector.broadcast(F, x[at + stride + i + j]);
                FloatVector q0 = units(w0, mask, base);
                FloatVector q1 = units(w1, mask, base);
                FloatVector q2 = units(w2, mask, base);
                FloatVector q3 = units(w3, mask, base);
                a0 = q0.fma(u, a0);
                a1 = q1.fma(u, a1);
                a2 = q2.fma(u, a2);
                a3 = q3.fma(u, a3);
                b0 = q0.fma(v, b0);
                b1 = q1.fma(v, b1);
                b2 = q2.fma(v, b2);
                b3 = q3.fma(v, b3);
                w0 = next(w0);
                w1 = next(w1);
                w2 = next(w2);
                w3 = next(w3);
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

    /** One row. */
    private static void sumOne(
            int[] nibbles, int w, float[] x, int at, int count, float[] part, int o) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        IntVector mask = IntVector.broadcast(I, UNITS);
        IntVector base = IntVector.broadcast(I, BASE);
        for (int i = 0; i < count; i += INPUTS_PER_HALF) {
            int from = w + i / INPUTS_PER_INT * PANEL;
            int up = i % INPUTS_PER_INT == 0 ? 0 : UNITS_SHIFT;
            IntVector w0 = half(nibbles, from, up);
            IntVector w1 = half(nibbles, from + LANES, up);
            IntVector w2 = half(nibbles, from + 2 * LANES, up);
            IntVector w3 = half(nibbles, from + 3 * LANES, up);
            for (int j = 0; j < INPUTS_PER_HALF; j++) {
                FloatVector u = FloatVector.broadcast(F, x[at + i + j]);
                a0 = units(w0, mask, base).fma(u, a0);
                a1 = units(w1, mask, base).fma(u, a1);
                a2 = units(w2, mask, base).fma(u, a2);
                a3 = units(w3, mask, base).fma(u, a3);
                w0 = next(w0);
                w1 = next(w1);
                w2 = next(w2);
                w3 = next(w3);
            }
        }
        a0.intoArray(part, o);
        a1.intoArray(part, o + LANES);
        a2.intoArray(part, o + 2 * LANES);
        a3.intoArray(part, o + 3 * LANES);
    }

    private static void addScaled(float[] part, int at, float[] s, int sAt, float[] y, int yAt) {
        for (int o = 0; o < PANEL; o += LANES) {
            FloatVector.fromArray(F, part, at + o)
                    .fma(FloatVector.fromArray(F, s, sAt + o), FloatVector.fromArray(F, y, yAt + o))
                    .intoArray(y, yAt + o);
        }
    }

    // y[r][o] += sum of sums[r][g] c[g][o] over all g
    // y: [rows, width]; sums: [rows, groups]; c: [groups, width]; width: a multiple of 64
    static void addOffsets(float[] sums, int groups, int rows, float[] c, float[] y, int width) {
        for (int o = 0; o < width; o += LANES) {
            int r = 0;
            for (; r <= rows - 4; r += 4) {
                addFourOffsets(sums, r * groups, groups, c, o, width, y, r * width + o);
            }
            for (; r < rows; r++) {
                FloatVector sum = FloatVector.fromArray(F, y, r * width + o);
                for (int g = 0; g < groups; g++) {
                    FloatVector x = FloatVector.broadcast(F, sums[r * groups + g]);
                    sum = FloatVector.fromArray(F, c, g * width + o).fma(x, sum);
                }
                sum.intoArray(y, r * width + o);
            }
        }
    }

    private static void addFourOffsets(
            float[] sums, int at, int groups, float[] c, int cAt, int width, float[] y, int yAt) {
        FloatVector a = FloatVector.fromArray(F, y, yAt);
        FloatVector b = FloatVector.fromArray(F, y, yAt + width);
        FloatVector d = FloatVector.fromArray(F, y, yAt + 2 * width);
        FloatVector e = FloatVector.fromArray(F, y, yAt + 3 * width);
        for (int g = 0; g < groups; g++) {
            FloatVector v = FloatVector.fromArray(F, c, cAt + g * width);
            a = v.fma(FloatVector.broadcast(F, sums[at + g]), a);
            b = v.fma(FloatVector.broadcast(F, sums[at + groups + g]), b);
            d = v.fma(FloatVector.broadcast(F, sums[at + 2 * groups + g]), d);
            e = v.fma(FloatVector.broadcast(F, sums[at + 3 * groups + g]), e);
        }
        a.intoArray(y, yAt);
        b.intoArray(y, yAt + width);
        d.intoArray(y, yAt + 2 * width);
        e.intoArray(y, yAt + 3 * width);
    }

    /** The sum of {@code count} numbers from {@code at} on; a multiple of 32. */
    static float sum(float[] x, int at, int count) {
        FloatVector sum = FloatVector.fromArray(F, x, at);
        for (int i = LANES; i < count; i += LANES) {
            sum = sum.add(FloatVector.fromArray(F, x, at + i));
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }
}
