package org.tokenrate.model;

import java.util.ArrayList;
import java.util.List;

/** What a model of a configuration has in its checkpoint, under its family's names. */
public final class ModelTensors {
    /** What a tensor is: random ones are drawn accordingly. */
    public enum Kind {
        EMBEDDING,
        /** A linear layer's weights, {@code [outputs, inputs]}. */
        LINEAR,
        /** A linear layer's bias, {@code [outputs]}. */
        BIAS,
        /** A norm's weight, near 1 in trained models. */
        NORM
    }

    /** A tensor's name in Hugging Face's format and its shape: one or two extents. */
    public record Entry(String name, Kind kind, long... shape) {}

    private final ModelConfig config;
    private final TensorNames names;
    private final List<Entry> entries = new ArrayList<>();

    private ModelTensors(ModelConfig config) {
        this.config = config;
        this.names = config.architecture().names;
    }

    /** All tensors, in the order in which a token meets them. */
    public static List<Entry> of(ModelConfig config) {
        ModelTensors all = new ModelTensors(config);
        all.list();
        return List.copyOf(all.entries);
    }

    private void list() {
        int hidden = config.hiddenSize();
        int vocabulary = config.vocabularySize();
        add(names.embedding(), Kind.EMBEDDING, vocabulary, hidden);
        for (int i = 0; i < config.layers(); i++) {
            String layer = names.layer(i);
            norm(layer + names.attentionNorm(), hidden);
            attention(layer, config.attention());
            norm(layer + names.mlpNorm(), hidden);
            int middle = config.intermediateSize();
            linear(layer + names.gate(), middle, hidden, config.mlpBias());
            linear(layer + names.up(), middle, hidden, config.mlpBias());
            linear(layer + names.down(), hidden, middle, config.mlpBias());
        }
        norm(names.finalNorm(), hidden);
        if (!config.tiedEmbeddings()) linear(names.head(), vocabulary, hidden, false);
    }

    private void attention(String layer, AttentionConfig attention) {
        int hidden = config.hiddenSize();
        boolean bias = attention.qkvBias();
        if (names.qkv().size() == 1) {
            linear(layer + names.qkv().get(0), config.qkvWidth(), hidden, bias);
        } else {
            linear(layer + names.qkv().get(0), config.queryWidth(), hidden, bias);
            linear(layer + names.qkv().get(1), config.kvWidth(), hidden, bias);
            linear(layer + names.qkv().get(2), config.kvWidth(), hidden, bias);
        }
        if (attention.headNorms()) {
            norm(layer + names.queryNorm(), config.headDim());
            norm(layer + names.keyNorm(), config.headDim());
        }
        linear(layer + names.output(), hidden, config.queryWidth(), attention.outputBias());
    }

    private void norm(String name, long size) {
        add(name, Kind.NORM, size);
    }

    private void linear(String name, long outputs, long inputs, boolean bias) {
        add(name + ".weight", Kind.LINEAR, outputs, inputs);
        if (bias) add(name + ".bias", Kind.BIAS, outputs);
    }

    private void add(String name, Kind kind, long... shape) {
        entries.add(new Entry(name, kind, shape));
    }
}
