package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/** The config.json of well-known models, typed in, and what becomes of them. */
class PublishedConfigTest {
    private static ModelConfig read(String json) throws IOException {
        return ModelConfig.parse(Path.of("config.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    private static Rope plain(float theta) {
        return new Rope(theta, RopeScaling.NONE);
    }

    private static void assertParameters(double billions, ModelConfig config) {
        long parameters = 0;
        for (ModelTensors.Entry tensor : ModelTensors.of(config)) {
            long size = 1;
            for (long extent : tensor.shape()) size *= extent;
            parameters += size;
        }
        assertEquals(billions, parameters / 1e9, 0.005, "parameters, in 1e9");
    }

    @Test
    void llama2Of7B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["LlamaForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
                         "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
                         "intermediate_size": 11008, "max_position_embeddings": 4096,
                         "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
                         "num_key_value_heads": 32, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
                         "rope_scaling": null, "tie_word_embeddings": false,
                         "torch_dtype": "float16", "use_cache": true, "vocab_size": 32000}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.LLAMA,
                        4096,
                        32,
                        AttentionConfig.plain(32, 32, 128),
                        11008,
                        false,
                        32000,
                        4096,
                        1e-5f,
                        plain(10000),
                        false,
                        List.of(2)),
                config);
        assertParameters(6.738, config);
    }

    @Test
    void llama31Of8B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["LlamaForCausalLM"], "attention_bias": false,
                         "attention_dropout": 0.0, "bos_token_id": 128000,
                         "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
                         "hidden_size": 4096, "initializer_range": 0.02,
                         "intermediate_size": 14336, "max_position_embeddings": 131072,
                         "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
                         "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1,
                         "rms_norm_eps": 1e-05,
                         "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0,
                          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
                          "rope_type": "llama3"},
                         "rope_theta": 500000.0, "tie_word_embeddings": false,
                         "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 128256}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.LLAMA,
                        4096,
                        32,
                        AttentionConfig.plain(32, 8, 128),
                        14336,
                        false,
                        128256,
                        131072,
                        1e-5f,
                        new Rope(500000, new RopeScaling.Llama3(8, 1, 4, 8192)),
                        false,
                        List.of(128001, 128008, 128009)),
                config);
        assertParameters(8.030, config);
    }

    @Test
    void internLmOf7B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["InternLMForCausalLM"],
                         "auto_map": {"AutoConfig": "configuration_internlm.InternLMConfig",
                          "AutoModelForCausalLM": "modeling_internlm.InternLMForCausalLM"},
                         "bias": true, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
                         "hidden_size": 4096, "initializer_range": 0.02,
                         "intermediate_size": 11008, "max_position_embeddings": 2048,
                         "model_type": "internlm", "num_attention_heads": 32,
                         "num_hidden_layers": 32, "num_key_value_heads": 32, "pad_token_id": 2,
                         "rms_norm_eps": 1e-06, "rotary": {"base": 10000, "type": "dynamic"},
                         "tie_word_embeddings": false, "torch_dtype": "float16",
                         "use_cache": true, "vocab_size": 103168}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.INTERNLM,
                        4096,
                        32,
                        new AttentionConfig(32, 32, 128, true, true, false, SlidingWindow.NONE),
                        11008,
                        false,
                        103168,
                        2048,
                        1e-6f,
                        plain(10000),
                        false,
                        List.of(2)),
                config);
        assertParameters(7.322, config);
    }

    @Test
    void internLm2Of7B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["InternLM2ForCausalLM"], "attn_implementation": "eager",
                         "bias": false, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
                         "hidden_size": 4096, "initializer_range": 0.02,
                         "intermediate_size": 14336, "max_position_embeddings": 32768,
                         "model_type": "internlm2", "num_attention_heads": 32,
                         "num_hidden_layers": 32, "num_key_value_heads": 8, "pad_token_id": 2,
                         "rms_norm_eps": 1e-05,
                         "rope_scaling": {"type": "dynamic", "factor": 2.0},
                         "rope_theta": 1000000, "tie_word_embeddings": false,
                         "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 92544}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.INTERNLM2,
                        4096,
                        32,
                        AttentionConfig.plain(32, 8, 128),
                        14336,
                        false,
                        92544,
                        65536,
                        1e-5f,
                        new Rope(1e6f, new RopeScaling.DynamicNtk(2, 32768)),
                        false,
                        List.of(2)),
                config);
        assertParameters(7.738, config);
    }

    @Test
    void mistralOf7B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["MistralForCausalLM"], "bos_token_id": 1,
                         "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096,
                         "initializer_range": 0.02, "intermediate_size": 14336,
                         "max_position_embeddings": 32768, "model_type": "mistral",
                         "num_attention_heads": 32, "num_hidden_layers": 32,
                         "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
                         "sliding_window": 4096, "tie_word_embeddings": false,
                         "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 32000}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.MISTRAL,
                        4096,
                        32,
                        new AttentionConfig(
                                32, 8, 128, false, false, false, SlidingWindow.of(4096, 0, 32)),
                        14336,
                        false,
                        32000,
                        32768,
                        1e-5f,
                        plain(10000),
                        false,
                        List.of(2)),
                config);
        assertParameters(7.242, config);
    }

    @Test
    void qwen2Of7B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0,
                         "bos_token_id": 151643, "eos_token_id": 151643, "hidden_act": "silu",
                         "hidden_size": 3584, "initializer_range": 0.02,
                         "intermediate_size": 18944, "max_position_embeddings": 131072,
                         "max_window_layers": 28, "model_type": "qwen2",
                         "num_attention_heads": 28, "num_hidden_layers": 28,
                         "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
                         "sliding_window": 131072, "tie_word_embeddings": false,
                         "torch_dtype": "bfloat16", "use_cache": true,
                         "use_sliding_window": false, "vocab_size": 152064}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.QWEN2,
                        3584,
                        28,
                        new AttentionConfig(28, 4, 128, true, false, false, SlidingWindow.NONE),
                        18944,
                        false,
                        152064,
                        131072,
                        1e-6f,
                        plain(1e6f),
                        false,
                        List.of(151643)),
                config);
        assertParameters(7.616, config);
    }

    @Test
    void qwen3Of8B() throws IOException {
        ModelConfig config =
                read(
                        """
                        {"architectures": ["Qwen3ForCausalLM"], "attention_bias": false,
                         "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151645,
                         "head_dim": 128, "hidden_act": "silu", "hidden_size": 4096,
                         "initializer_range": 0.02, "intermediate_size": 12288,
                         "max_position_embeddings": 40960, "max_window_layers": 36,
                         "model_type": "qwen3", "num_attention_heads": 32,
                         "num_hidden_layers": 36, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
                         "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null,
                         "tie_word_embeddings": false, "torch_dtype": "bfloat16",
                         "use_cache": true, "use_sliding_window": false, "vocab_size": 151936}
                        """);
        assertEquals(
                new ModelConfig(
                        Architecture.QWEN3,
                        4096,
                        36,
                        new AttentionConfig(32, 8, 128, false, false, true, SlidingWindow.NONE),
                        12288,
                        false,
                        151936,
                        40960,
                        1e-6f,
                        plain(1e6f),
                        false,
                        List.of(151645)),
                config);
        assertParameters(8.191, config);
    }
}
