package org.tokenrate.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** A Llama of random weights as a Hugging Face folder. */
record GeneratedModel(
        Type type, int hidden, int middle, int layers, int heads, int kvHeads, int vocabulary) {

    static GeneratedModel named(String name, String stored) {
        Type type = Type.valueOf(stored.toUpperCase(Locale.ROOT));
        return switch (name) {
            case "110m" -> new GeneratedModel(type, 768, 2048, 12, 12, 12, 32000);
            case "600m" -> new GeneratedModel(type, 2048, 8192, 8, 16, 8, 32000);
            default ->
                    throw new IllegalArgumentException(
                            "model=" + name + " is not known; use 110m or 600m");
        };
    }

    private List<Tensor> tensors() {
        List<Tensor> tensors = new ArrayList<>();
        tensors.add(new Tensor("model.embed_tokens.weight", type, vocabulary, hidden));
        int kv = hidden / heads * kvHeads;
        for (int i = 0; i < layers; i++) {
            String layer = "model.layers." + i + ".";
            tensors.add(new Tensor(layer + "input_layernorm.weight", type, hidden));
            tensors.add(new Tensor(layer + "self_attn.q_proj.weight", type, hidden, hidden));
            tensors.add(new Tensor(layer + "self_attn.k_proj.weight", type, kv, hidden));
            tensors.add(new Tensor(layer + "self_attn.v_proj.weight", type, kv, hidden));
            tensors.add(new Tensor(layer + "self_attn.o_proj.weight", type, hidden, hidden));
            tensors.add(new Tensor(layer + "post_attention_layernorm.weight", type, hidden));
            tensors.add(new Tensor(layer + "mlp.gate_proj.weight", type, middle, hidden));
            tensors.add(new Tensor(layer + "mlp.up_proj.weight", type, middle, hidden));
            tensors.add(new Tensor(layer + "mlp.down_proj.weight", type, hidden, middle));
        }
        tensors.add(new Tensor("model.norm.weight", type, hidden));
        tensors.add(new Tensor("lm_head.weight", type, vocabulary, hidden));
        return tensors;
    }

    /** Bytes of all weights. */
    long bytes() {
        int bytes = type == Type.F32 ? Float.BYTES : Short.BYTES;
        return tensors().stream().mapToLong(Tensor::size).sum() * bytes;
    }

    void write(Path folder) throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                 "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
                 "num_attention_heads": %d, "num_key_value_heads": %d, "vocab_size": %d,
                 "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "tie_word_embeddings": false, "eos_token_id": 2}
                """
                        .formatted(hidden, middle, layers, heads, kvHeads, vocabulary));
        Path file = folder.resolve("model.safetensors");
        float[] values = new float[1 << 16];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) values[i] = (float) (0.02 * random.nextGaussian());
        try (var writer = SafetensorsWriter.create(file, tensors(), Map.of("format", "pt"))) {
            for (Tensor tensor : tensors()) {
                for (long left = tensor.size(); left > 0; left -= values.length) {
                    writer.write(
                            left >= values.length ? values : Arrays.copyOf(values, (int) left));
                }
            }
        }
    }
}
