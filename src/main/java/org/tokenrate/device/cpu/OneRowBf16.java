package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

// y = after(x W^T + bias) for a slice of W
// x: [1, inputs] dtype; W: panels of 64 outputs, [inputs / 2, 64] pairs of bf16 each.
/**
 * One row times a slice of bf16 weights: a sequence that decodes alone. Memory's speed decides
 * then, and this reads at all of it, where oneDNN's product reaches two thirds (measured with
 * AVX-512 BF16). It takes weights as they lie for oneDNN: an int is two neighbouring inputs of an
 * output. For two rows it would be no faster than oneDNN.
 */
final class OneRowBf16 {
    /** Outputs of a panel. */
    private static final int PANEL = 64;

    private static final int PAIR_BYTES = PANEL * Integer.BYTES;

    private static final int LANES = Vectors.LANES;
    private static final int HIGH = 0xffff0000;

    private final int outputs;
    private final float[] bias;
    private final Epilogue epilogue = new Epilogue();
    private final List<Panels> spans = new ArrayList<>();
    private final float[] sums; // of all panels
    private float[] row = new float[0];
    private short[] halves = new short[0];

    private record Panels(int firstInput, int inputs, long panelBytes, Object memory) {}

    /** Whether weights of that layout can be taken as they lie. */
    static boolean takes(WeightsLayout layout) {
        return PANEL % (4 * LANES) == 0
                && layout.bytes() <= Integer.MAX_VALUE
                && layout.isOfPairPanels();
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
    }

    /** The first row of x; {@code column} is the slice's first output. */
    void multiply(Epilogue.Target target, CpuTensor x, int column) {
        int inputs = x.columns();
        if (halves.length < inputs) {
            row = new float[inputs + 1];
            halves = new short[inputs];
        }
        x.toFloats(0, row, halves);
        row[inputs] = 0; // beside an odd last input
        Arrays.fill(sums, 0f);
        for (Panels span : spans) {
            long panel = 0;
            for (int o = 0; o < sums.length; o += PANEL, panel += span.panelBytes) {
                for (int i = 0; i < PANEL; i += 4 * LANES) {
                    long at = panel + i * Integer.BYTES;
                    add(span.memory, at, row, span.firstInput, span.inputs, sums, o + i);
                }
            }
        }
        epilogue.run(target, 0, bias, sums, 0, column, outputs);
    }

    /** Four vectors of outputs: eight sums, so that none has to wait for itself. */
    private static void add(
            Object weights, long at, float[] x, int first, int inputs, float[] sums, int o) {
        FloatVector low0 = FloatVector.fromArray(Vectors.F, sums, o);
        FloatVector low1 = FloatVector.fromArray(Vectors.F, sums, o + LANES);
        FloatVector low2 = FloatVector.fromArray(Vectors.F, sums, o + 2 * LANES);
        FloatVector low3 = FloatVector.fromArray(Vectors.F, sums, o + 3 * LANES);
        FloatVector high0 = FloatVector.zero(Vectors.F);
        FloatVector high1 = high0;
        FloatVector high2 = high0;
        FloatVector high3 = high0;
        for (int i = 0; i < (inputs + 1) / 2; i++) {
            FloatVector even = FloatVector.broadcast(Vectors.F, x[first + 2 * i]);
            FloatVector odd = FloatVector.broadcast(Vectors.F, x[first + 2 * i + 1]);
            long w = at + (long) i * PAIR_BYTES;
            IntVector pairs = NativeVectors.ints(weights, w);
            low0 = low(pairs).fma(even, low0);
            high0 = high(pairs).fma(odd, high0);
            pairs = NativeVectors.ints(weights, w + 4L * LANES);
            low1 = low(pairs).fma(even, low1);
            high1 = high(pairs).fma(odd, high1);
            pairs = NativeVectors.ints(weights, w + 8L * LANES);
            low2 = low(pairs).fma(even, low2);
            high2 = high(pairs).fma(odd, high2);
            pairs = NativeVectors.ints(weights, w + 12L * LANES);
            low3 = low(pairs).fma(even, low3);
            high3 = high(pairs).fma(odd, high3);
        }
        low0.add(high0).intoArray(sums, o);
        low1.add(high1).intoArray(sums, o + LANES);
        low2.add(high2).intoArray(sums, o + 2 * LANES);
        low3.add(high3).intoArray(sums, o + 3 * LANES);
    }

    private static FloatVector low(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector pairs) {
        return pairs.and(HIGH).reinterpretAsFloats();
    }
}
