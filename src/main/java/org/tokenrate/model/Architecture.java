package org.tokenrate.model;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The model families, each a row: the name that {@code architectures} in config.json gives, its
 * tensors' names, what it has beyond Llama, and its defaults (those of the family's configuration
 * class in transformers).
 */
public enum Architecture {
    LLAMA(
            "LlamaForCausalLM",
            TensorNames.LLAMA,
            new Biases(field("attention_bias"), field("attention_bias"), field("mlp_bias")),
            Switch.OFF,
            WindowRule.NONE,
            Defaults.PLAIN),
    INTERNLM(
            "InternLMForCausalLM",
            TensorNames.LLAMA,
            new Biases(fieldOrOn("bias"), fieldOrOn("bias"), Switch.OFF),
            Switch.OFF,
            WindowRule.NONE,
            Defaults.PLAIN),
    INTERNLM2(
            "InternLM2ForCausalLM",
            TensorNames.INTERNLM2,
            new Biases(fieldOrOn("bias"), fieldOrOn("bias"), Switch.OFF),
            Switch.OFF,
            WindowRule.NONE,
            Defaults.PLAIN),
    MISTRAL(
            "MistralForCausalLM",
            TensorNames.LLAMA,
            Biases.NONE,
            Switch.OFF,
            WindowRule.ALL_LAYERS,
            new Defaults(8, 0)),
    QWEN2(
            "Qwen2ForCausalLM",
            TensorNames.LLAMA,
            new Biases(Switch.ON, Switch.OFF, Switch.OFF),
            Switch.OFF,
            WindowRule.UPPER_LAYERS,
            new Defaults(32, 0)),
    QWEN3(
            "Qwen3ForCausalLM",
            TensorNames.LLAMA,
            new Biases(field("attention_bias"), field("attention_bias"), Switch.OFF),
            Switch.ON,
            WindowRule.UPPER_LAYERS,
            new Defaults(32, 128));

    /** Which linear layers have biases. */
    record Biases(Switch qkv, Switch output, Switch mlp) {
        static final Biases NONE = new Biases(Switch.OFF, Switch.OFF, Switch.OFF);
    }

    /** Which layers have a sliding window. */
    enum WindowRule {
        NONE,
        /** All, if {@code sliding_window} is a number. */
        ALL_LAYERS,
        /** From {@code max_window_layers} on, if {@code use_sliding_window} is true. */
        UPPER_LAYERS
    }

    /**
     * @param kvHeads where config.json does not say; 0 for as many as query heads
     * @param headDim likewise; 0 for the hidden size over the heads
     */
    record Defaults(int kvHeads, int headDim) {
        static final Defaults PLAIN = new Defaults(0, 0);
    }

    private final String label;
    final TensorNames names;
    final Biases biases;
    final Switch headNorms;
    final WindowRule windowRule;
    final Defaults defaults;

    Architecture(
            String label,
            TensorNames names,
            Biases biases,
            Switch headNorms,
            WindowRule windowRule,
            Defaults defaults) {
        this.label = label;
        this.names = names;
        this.biases = biases;
        this.headNorms = headNorms;
        this.windowRule = windowRule;
        this.defaults = defaults;
    }

    private static Switch field(String name) {
        return new Switch(name, false);
    }

    private static Switch fieldOrOn(String name) {
        return new Switch(name, true);
    }

    /** Name of the embedding's tensor. */
    public String embedding() {
        return names.embedding();
    }

    /** The name in config.json. */
    public String label() {
        return label;
    }

    static Optional<Architecture> named(String label) {
        return Arrays.stream(values()).filter(a -> a.label.equals(label)).findFirst();
    }

    /** All names, for errors. */
    static String known() {
        return Arrays.stream(values()).map(a -> a.label).collect(Collectors.joining(", "));
    }
}
