package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/** One of a model's matrix products. */
record LayerMatrix(String name, int inputs, int outputs) {
    /** What {@code -p matrix} may be. */
    static final List<String> NAMES =
            List.of("layer", "qkv", "output", "gate", "up", "down", "head");

    private static final String HEAD = "head";

    /** The products of a decoder layer, in their order. */
    static List<LayerMatrix> layer(ModelConfig c) {
        int hidden = c.hiddenSize();
        int middle = c.intermediateSize();
        return List.of(
                new LayerMatrix("qkv", hidden, c.qkvWidth()),
                new LayerMatrix("output", c.queryWidth(), hidden),
                new LayerMatrix("gate", hidden, middle),
                new LayerMatrix("up", hidden, middle),
                new LayerMatrix("down", middle, hidden));
    }

    static LayerMatrix head(ModelConfig c) {
        return new LayerMatrix(HEAD, c.hiddenSize(), c.vocabularySize());
    }

    /** The products of that name; of {@code layer}, all of a decoder layer. */
    static List<LayerMatrix> named(String name, ModelConfig c) {
        PartBenchmark.requireOneOf("matrix", name, NAMES);
        if (name.equals(HEAD)) return List.of(head(c));
        return layer(c).stream().filter(m -> name.equals("layer") || m.name.equals(name)).toList();
    }

    /** Operations for so many rows of input. */
    double flops(long rows) {
        return 2.0 * rows * inputs * outputs;
    }

    /** Random weights as the model's format stores them: in AWQ's, all but the head have 4 bits. */
    LinearData weights(ModelSource source) throws IOException {
        if (source.format() != ModelFormat.AWQ || name.equals(HEAD)) return weights();
        return RandomWeights.awq(name, inputs, outputs, source.groupSize().applyAsInt(inputs));
    }

    /** Random weights of bf16. */
    LinearData weights() {
        return RandomWeights.dense(name, inputs, outputs);
    }
}
