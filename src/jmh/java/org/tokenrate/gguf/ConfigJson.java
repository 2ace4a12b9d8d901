package org.tokenrate.gguf;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.model.Architecture;
import org.tokenrate.model.AttentionConfig;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.SlidingWindow;

/** Configurations as Hugging Face writes them, whatever layout they were read from. */
public final class ConfigJson {
    private ConfigJson() {}

    /** The config.json of a configuration, with every field of its family. */
    public static ObjectNode of(ModelConfig c) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.putArray("architectures").add(c.architecture().label());
        json.put("hidden_act", "silu");
        json.put("hidden_size", c.hiddenSize());
        json.put("num_hidden_layers", c.layers());
        json.put("num_attention_heads", c.heads());
        json.put("num_key_value_heads", c.kvHeads());
        json.put("head_dim", c.headDim());
        json.put("intermediate_size", c.intermediateSize());
        json.put("vocab_size", c.vocabularySize());
        json.put("rms_norm_eps", c.rmsNormEps());
        json.put("tie_word_embeddings", c.tiedEmbeddings());
        c.eosTokens().forEach(json.withArray("eos_token_id")::add);
        addRope(json, c);
        addFamily(json, c);
        return json;
    }

    private static void addRope(ObjectNode json, ModelConfig c) {
        RopeScaling scaling = c.rope().scaling();
        json.put("rope_theta", c.rope().theta());
        json.put("max_position_embeddings", c.maxPositions());
        if (scaling instanceof RopeScaling.Linear linear) {
            json.put("max_position_embeddings", (int) (c.maxPositions() / linear.factor()));
            json.putObject("rope_scaling").put("type", "linear").put("factor", linear.factor());
        } else if (scaling instanceof RopeScaling.DynamicNtk dynamic) {
            json.put("max_position_embeddings", dynamic.originalLength());
            json.putObject("rope_scaling").put("type", "dynamic").put("factor", dynamic.factor());
        } else if (scaling instanceof RopeScaling.Llama3 llama3) {
            json.putObject("rope_scaling")
                    .put("rope_type", "llama3")
                    .put("factor", llama3.factor())
                    .put("low_freq_factor", llama3.lowFactor())
                    .put("high_freq_factor", llama3.highFactor())
                    .put("original_max_position_embeddings", llama3.originalLength());
        }
    }

    private static void addFamily(ObjectNode json, ModelConfig c) {
        AttentionConfig attention = c.attention();
        SlidingWindow window = attention.window();
        boolean slides = !window.layers().isEmpty();
        switch (c.architecture()) {
            case LLAMA ->
                    json.put("attention_bias", attention.qkvBias()).put("mlp_bias", c.mlpBias());
            case INTERNLM, INTERNLM2 -> json.put("bias", attention.qkvBias());
            case MISTRAL -> {
                if (slides) json.put("sliding_window", window.tokens());
                else json.putNull("sliding_window");
            }
            case QWEN2, QWEN3 -> {
                json.put("use_sliding_window", slides);
                json.put("sliding_window", slides ? window.tokens() : 4096);
                json.put("max_window_layers", c.layers() - window.layers().size());
                if (c.architecture() == Architecture.QWEN3) {
                    json.put("attention_bias", attention.qkvBias());
                }
            }
        }
    }
}
