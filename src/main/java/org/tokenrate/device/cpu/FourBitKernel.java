package org.tokenrate.device.cpu;

import static org.tokenrate.device.cpu.FourBitWeights.INPUTS_PER_INT;
import static org.tokenrate.device.cpu.FourBitWeights.PANEL;
import static org.tokenrate.device.cpu.FourBitWeights.RUN;
import static org.tokenrate.device.cpu.Vectors.F;
import static org.tokenrate.device.cpu.Vectors.I;
import static org.tokenrate.device.cpu.Vectors.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Unpacking of 4-bit weights. A nibble in the mantissa of a float {@code 2^e} is the number {@code
 * 2^e + q}, exactly, if {@code e} is that of the place's value: a mask and an or, one instruction
 * where there is one, instead of a conversion. Under the exponent of 128 that holds in bfloat16
 * too. Products are taken with those numbers; over a group, {@code sum (q - z) s x = s sum (128 +
 * q) x - (128 + z) s sum x}.
 *
 * <p>Loops are kept as small as they are because the compiler stops inlining, and so allocates
 * every vector, in a method of more than about thirty vector operations.
 */
final class FourBitKernel {
    /** What expanded numbers are above q. */
    static final float EXPANDED_BASE = 128;

    /** The bits of the float 128; its mantissa is 0. */
    private static final int BASE = 0x43000000;

    /** Where whole numbers are in the mantissa of the float 128. */
    private static final int UNITS = 0x000f0000;

    private static final int UNITS_SHIFT = 16;

    /** The same of two bfloat16s. */
    private static final int BASES = 0x43004300;

    private static final int PAIR = 0x000f000f;

    /** Two neighbouring nibbles, under the exponents of 16 and 256. */
    private static final int UPPER = 0x00780000;

    private static final int UPPER_BASE = 0x41800000;
    private static final int LOWER = 0x00078000;
    private static final int LOWER_BASE = 0x43800000;

    /** By what the lower half of an int goes up to the upper half's place. */
    private static final int LOWER_HALF = 16;

    /** By what a half goes down for its lower two nibbles, and further for the upper two. */
    private static final int FIRST_DOWN = 1;

    private static final int DOWN = 8;

    /** From binary16's exponent bias to binary32's. */
    private static final float REBIAS = 0x1p112f;

    private static final int NIBBLE = 4;
    private static final int INPUTS_PER_HALF = INPUTS_PER_INT / 2;

    /** The inputs of an int as {@link #multiply} comes to them: upper, lower, upper, ... */
    private static final int[] READING_ORDER = {3, 1, 7, 5, 2, 0, 6, 4};

    /** The inputs of an int as {@link #expandToF32} comes to them. */
    private static final int[] EXPANDING_ORDER = {1, 3, 5, 7, 0, 2, 4, 6};

    private FourBitKernel() {}

    /** {@code 128 + q} of the nibbles at {@link #UNITS}. */
    private static FloatVector units(IntVector w, IntVector mask, IntVector base) {
        return w.and(mask).or(base).reinterpretAsFloats();
    }

    // s[at + o] = the scale, c[at + o] = -(base + z) times it, of a panel's group
    static void scales(
            FourBitWeights weights,
            int panel,
            int group,
            float base,
            float[] s,
            float[] c,
            int at) {
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
                            .reinterpretAsFloats()
                            .sub(EXPANDED_BASE - base);
            scale.intoArray(s, at + o);
            zero.mul(scale).neg().intoArray(c, at + o);
        }
    }

    // out[i / 2][o] = bf16(128 + q[o][i]) | bf16(128 + q[o][i + 1]) << 16      out: [group / 2, 64]
    // One group of one panel, as oneDNN's products want it.
    static void expandToBf16(FourBitWeights weights, int panel, int group, int[] out, int outAt) {
        int[] nibbles = weights.nibbles();
        IntVector mask = IntVector.broadcast(I, PAIR);
        IntVector bases = IntVector.broadcast(I, BASES);
        for (int o = 0; o < PANEL; o += LANES) {
            int from = weights.nibblesAt(panel, group * weights.groupSize(), o);
            int to = outAt + o;
            for (int i = 0; i < weights.groupSize(); i += INPUTS_PER_INT) {
                IntVector w = IntVector.fromArray(I, nibbles, from);
                w.and(mask).or(bases).intoArray(out, to);
                pair(w, 4, mask, bases).intoArray(out, to + PANEL);
                pair(w, 8, mask, bases).intoArray(out, to + 2 * PANEL);
                pair(w, 12, mask, bases).intoArray(out, to + 3 * PANEL);
                from += RUN;
                to += 4 * PANEL;
            }
        }
    }

    private static IntVector pair(IntVector w, int shift, IntVector mask, IntVector bases) {
        return w.lanewise(VectorOperators.LSHR, shift).and(mask).or(bases);
    }

    // out[i][o] = 128 + q[o][i]      out: [group, 64] f32
    static void expandToF32(FourBitWeights weights, int panel, int group, float[] out, int outAt) {
        int[] nibbles = weights.nibbles();
        IntVector mask = IntVector.broadcast(I, UNITS);
        IntVector base = IntVector.broadcast(I, BASE);
        for (int i = 0; i < weights.groupSize(); i += INPUTS_PER_INT) {
            for (int o = 0; o < PANEL; o += LANES) {
                int at = weights.nibblesAt(panel, group * weights.groupSize() + i, o);
                for (int j = 0; j < INPUTS_PER_INT; j++) {
                    int up = j < INPUTS_PER_HALF ? 0 : UNITS_SHIFT;
                    IntVector w =
                            IntVector.fromArray(I, nibbles, at)
                                    .lanewise(VectorOperators.LSHL, up)
                                    .lanewise(VectorOperators.LSHR, NIBBLE * (j % INPUTS_PER_HALF));
                    int to = outAt + (i + EXPANDING_ORDER[j]) * PANEL + o;
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

    /**
     * What sums over a group begin with, so that they end with the sum of q x alone: -16 and -256
     * times the inputs that meet an upper and a lower nibble.
     *
     * @param x reordered
     */
    static void starts(float[] x, int at, int count, float[] starts, int to) {
        float upper = 0;
        float lower = 0;
        for (int i = at; i < at + count; i += 2) {
            upper += x[i];
            lower += x[i + 1];
        }
        starts[to] = -16 * upper;
        starts[to + 1] = -256 * lower;
    }

    // y[r][o] += s[g][o] times the sum of q x over group g, for all g
    // x: [rows, inputs], reordered; starts: [rows, groups, 2]; y: [rows, width]; s: [groups,
    // width];
    // width = 64 panels; part: room for 128.
    static void multiply(
            FourBitWeights weights,
            float[] x,
            float[] starts,
            int rows,
            float[] s,
            float[] part,
            float[] y) {
        int inputs = weights.inputs();
        int groupSize = weights.groupSize();
        int groups = inputs / groupSize;
        int[] nibbles = weights.nibbles();
        int width = weights.panels() * PANEL;
        for (int g = 0; g < groups; g++) {
            for (int panel = 0; panel < weights.panels(); panel++) {
                int yAt = panel * PANEL;
                int sAt = g * width + yAt;
                for (int r = 0; r < rows; r += 2) {
                    boolean two = r + 1 < rows;
                    int at = r * inputs + g * groupSize;
                    int start = 2 * (r * groups + g);
                    for (int o = 0; o < PANEL; o += RUN) {
                        int from = weights.nibblesAt(panel, g * groupSize, o);
                        if (two) {
                            sumTwo(
                                    nibbles,
                                    from,
                                    x,
                                    at,
                                    inputs,
                                    groupSize,
                                    starts,
                                    start,
                                    2 * groups,
                                    part,
                                    o);
                        } else {
                            sumOne(nibbles, from, x, at, groupSize, starts, start, part, o);
                        }
                    }
                    if (two) addScaled(part, PANEL, s, sAt, y, (r + 1) * width + yAt);
                    addScaled(part, 0, s, sAt, y, r * width + yAt);
                }
            }
        }
    }

    /**
     * The upper four nibbles of each int, or the lower four in their place; the first two first.
     */
    private static IntVector half(int[] nibbles, int from, int up) {
        return IntVector.fromArray(I, nibbles, from)
                .lanewise(VectorOperators.LSHL, up)
                .lanewise(VectorOperators.LSHR, FIRST_DOWN);
    }

    private static IntVector next(IntVector w) {
        return w.lanewise(VectorOperators.LSHR, DOWN);
    }

    /** One row and a run of outputs, two vectors. */
    private static void sumOne(
            int[] nibbles,
            int w,
            float[] x,
            int at,
            int count,
            float[] starts,
            int start,
            float[] part,
            int o) {
        FloatVector a0 = FloatVector.broadcast(F, starts[start]);
        FloatVector a1 = a0;
        FloatVector b0 = FloatVector.broadcast(F, starts[start + 1]);
        FloatVector b1 = b0;
        IntVector upper = IntVector.broadcast(I, UPPER);
        IntVector upperBase = IntVector.broadcast(I, UPPER_BASE);
        IntVector lower = IntVector.broadcast(I, LOWER);
        IntVector lowerBase = IntVector.broadcast(I, LOWER_BASE);
        for (int i = 0; i < count; i += INPUTS_PER_HALF) {
            int from = w + i / INPUTS_PER_INT * RUN;
            int up = i % INPUTS_PER_INT == 0 ? 0 : LOWER_HALF;
            IntVector w0 = half(nibbles, from, up);
            IntVector w1 = half(nibbles, from + LANES, up);
            for (int j = 0; j < INPUTS_PER_HALF; j += 2) {
                FloatVector u = FloatVector.broadcast(F, x[at + i + j]);
                a0 = units(w0, upper, upperBase).fma(u, a0);
                a1 = units(w1, upper, upperBase).fma(u, a1);
                FloatVector v = FloatVector.broadcast(F, x[at + i + j + 1]);
                b0 = units(w0, lower, lowerBase).fma(v, b0);
                b1 = units(w1, lower, lowerBase).fma(v, b1);
                w0 = next(w0);
                w1 = next(w1);
            }
        }
        a0.add(b0).intoArray(part, o);
        a1.add(b1).intoArray(part, o + LANES);
    }

    /** Two rows, which share the unpacking. */
    private static void sumTwo(
            int[] nibbles,
            int w,
            float[] x,
            int at,
            int stride,
            int count,
            float[] starts,
            int start,
            int startStride,
            float[] part,
            int o) {
        FloatVector a0 = FloatVector.broadcast(F, starts[start]);
        FloatVector a1 = a0;
        FloatVector b0 = FloatVector.broadcast(F, starts[start + 1]);
        FloatVector b1 = b0;
        FloatVector c0 = FloatVector.broadcast(F, starts[start + startStride]);
        FloatVector c1 = c0;
        FloatVector d0 = FloatVector.broadcast(F, starts[start + startStride + 1]);
        FloatVector d1 = d0;
        IntVector upper = IntVector.broadcast(I, UPPER);
        IntVector upperBase = IntVector.broadcast(I, UPPER_BASE);
        IntVector lower = IntVector.broadcast(I, LOWER);
        IntVector lowerBase = IntVector.broadcast(I, LOWER_BASE);
        for (int i = 0; i < count; i += INPUTS_PER_HALF) {
            int from = w + i / INPUTS_PER_INT * RUN;
            int up = i % INPUTS_PER_INT == 0 ? 0 : LOWER_HALF;
            IntVector w0 = half(nibbles, from, up);
            IntVector w1 = half(nibbles, from + LANES, up);
            for (int j = 0; j < INPUTS_PER_HALF; j += 2) {
                int xAt = at + i + j;
                FloatVector q0 = units(w0, upper, upperBase);
                FloatVector q1 = units(w1, upper, upperBase);
                FloatVector u = FloatVector.broadcast(F, x[xAt]);
                a0 = q0.fma(u, a0);
                a1 = q1.fma(u, a1);
                u = FloatVector.broadcast(F, x[xAt + stride]);
                c0 = q0.fma(u, c0);
                c1 = q1.fma(u, c1);
                q0 = units(w0, lower, lowerBase);
                q1 = units(w1, lower, lowerBase);
                u = FloatVector.broadcast(F, x[xAt + 1]);
                b0 = q0.fma(u, b0);
                b1 = q1.fma(u, b1);
                u = FloatVector.broadcast(F, x[xAt + stride + 1]);
                d0 = q0.fma(u, d0);
                d1 = q1.fma(u, d1);
                w0 = next(w0);
                w1 = next(w1);
            }
        }
        a0.add(b0).intoArray(part, o);
        a1.add(b1).intoArray(part, o + LANES);
        c0.add(d0).intoArray(part, PANEL + o);
        c1.add(d1).intoArray(part, PANEL + o + LANES);
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
