package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One row times a slice of bf16 weights, on a CPU that has to widen them: a single sequence that
 * decodes. oneDNN's product is then bound by its instructions (two thirds of memory's bandwidth,
 * with AVX2), this one by memory. It takes weights as they lie for oneDNN: panels of 64 outputs,
 * {@code [inputs, 64]} each. The two numbers of an int are neighbouring outputs, so sums are kept
 * apart, even ones and odd ones, until the end.
 */
final class OneRowBf16 {
    /** Outputs of a panel. */
    private static final int PANEL = 64;

    private static final int INPUT_BYTES = PANEL * Short.BYTES;
    private static final int LANES = Vectors.LANES;
    private static final int HIGH = 0xffff0000;

    private final int outputs;
    private final float[] bias;
    private final Epilogue epilogue = new Epilogue();
    private final List<Panels> spans = new ArrayList<>();
    private final float[] sums;
    private final float[] ordered;
    private float[] row = new float[0];
    private short[] halves = new short[0];

    private record Panels(int firstInput, int inputs, long panelBytes, Object memory) {}

    /** Whether weights of that layout can be taken as they lie. */
    static boolean takes(WeightsLayout layout) {
        return (LANES == 8 || LANES == 16) && layout.isOfPanels();
    }

    /**
     * @param outputs of the slice
     * @param bias one for each output of the whole matrix, or none at all
     */
    OneRowBf16(int outputs, List<CpuMatrix.Span> spans, float[] bias) {
        this.outputs = outputs;
        this.bias = bias;
        int panels = (outputs + PANEL - 1) / PANEL;
        for (CpuMatrix.Span span : spans) {
            this.spans.add(
                    new Panels(
                            span.firstInput(),
                            span.inputs(),
                            span.bytes() / panels,
                            NativeVectors.memory(span.weights())));
        }
        sums = new float[panels * PANEL];
        ordered = new float[panels * PANEL];
    }

    /** The first row of x; {@code column} is the slice's first output. */
    void multiply(Epilogue.Target target, CpuTensor x, int column) {
        int inputs = x.columns();
        if (row.length < inputs) {
            row = new float[inputs];
            halves = new short[inputs];
        }
        x.toFloats(0, row, halves);
        Arrays.fill(sums, 0f);
        for (Panels span : spans) {
            long at = 0;
            for (int o = 0; o < sums.length; o += PANEL, at += span.panelBytes) {
                if (LANES == 8) {
                    addEight(span.memory, at, row, span.firstInput, span.inputs, sums, o);
                } else {
                    addFour(span.memory, at, row, span.firstInput, span.inputs, sums, o);
                }
            }
        }
        for (int o = 0; o < sums.length; o += 2 * LANES) {
            for (int i = 0; i < LANES; i++) {
                ordered[o + 2 * i] = sums[o + i];
                ordered[o + 2 * i + 1] = sums[o + LANES + i];
            }
        }
        epilogue.run(target, 0, bias, ordered, 0, column, outputs);
    }

    private static FloatVector even(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector odd(IntVector pairs) {
        return pairs.and(HIGH).reinterpretAsFloats();
    }

    private static FloatVector sums(float[] sums, int at, int vector) {
        return FloatVector.fromArray(Vectors.F, sums, at + vector * LANES);
    }

    /** A panel of eight vectors of outputs: eight sums, so that none has to wait for itself. */
    private static void addEight(
            Object weights, long at, float[] x, int first, int inputs, float[] sums, int o) {
        FloatVector even0 = sums(sums, o, 0);
        FloatVector odd0 = sums(sums, o, 1);
        FloatVector even1 = sums(sums, o, 2);
        FloatVector odd1 = sums(sums, o, 3);
        FloatVector even2 = sums(sums, o, 4);
        FloatVector odd2 = sums(sums, o, 5);
        FloatVector even3 = sums(sums, o, 6);
        FloatVector odd3 = sums(sums, o, 7);
        for (int i = 0; i < inputs; i++) {
            FloatVector input = FloatVector.broadcast(Vectors.F, x[first + i]);
            long from = at + (long) i * INPUT_BYTES;
            IntVector pairs = NativeVectors.ints(weights, from);
            even0 = even(pairs).fma(input, even0);
            odd0 = odd(pairs).fma(input, odd0);
            pairs = NativeVectors.ints(weights, from + 4L * LANES);
            even1 = even(pairs).fma(input, even1);
            odd1 = odd(pairs).fma(input, odd1);
            pairs = NativeVectors.ints(weights, from + 8L * LANES);
            even2 = even(pairs).fma(input, even2);
            odd2 = odd(pairs).fma(input, odd2);
            pairs = NativeVectors.ints(weights, from + 12L * LANES);
            even3 = even(pairs).fma(input, even3);
            odd3 = odd(pairs).fma(input, odd3);
        }
        even0.intoArray(sums, o);
        odd0.intoArray(sums, o + LANES);
        even1.intoArray(sums, o + 2 * LANES);
        odd1.intoArray(sums, o + 3 * LANES);
        even2.intoArray(sums, o + 4 * LANES);
        odd2.intoArray(sums, o + 5 * LANES);
        even3.intoArray(sums, o + 6 * LANES);
        odd3.intoArray(sums, o + 7 * LANES);
    }

    /** A panel of four vectors of outputs. */
    private static void addFour(
            Object weights, long at, float[] x, int first, int inputs, float[] sums, int o) {
        FloatVector even0 = sums(sums, o, 0);
        FloatVector odd0 = sums(sums, o, 1);
        FloatVector even1 = sums(sums, o, 2);
        FloatVector odd1 = sums(sums, o, 3);
        for (int i = 0; i < inputs; i++) {
            FloatVector input = FloatVector.broadcast(Vectors.F, x[first + i]);
            long from = at + (long) i * INPUT_BYTES;
            IntVector pairs = NativeVectors.ints(weights, from);
            even0 = even(pairs).fma(input, even0);
            odd0 = odd(pairs).fma(input, odd0);
            pairs = NativeVectors.ints(weights, from + 4L * LANES);
            even1 = even(pairs).fma(input, even1);
            odd1 = odd(pairs).fma(input, odd1);
        }
        even0.intoArray(sums, o);
        odd0.intoArray(sums, o + LANES);
        even1.intoArray(sums, o + 2 * LANES);
        odd1.intoArray(sums, o + 3 * LANES);
    }
}
