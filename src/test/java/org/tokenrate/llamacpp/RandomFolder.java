package org.tokenrate.llamacpp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/**
 * A Hugging Face folder of random weights: the tensors that a {@code config.json} asks for, by the
 * names that its architecture gives them.
 *
 * <p>The weights are of a size at which a wrong computation shows: attention looks at few places,
 * so that positions matter, and layers outweigh the embedding, so that no token predicts itself.
 */
public final class RandomFolder {
    private static final double EMBEDDING = 0.1;

    /** Of queries and keys of deviation d, scores have the deviation d * d. */
    private static final double SHARP = 1.6;

    private static final double BIAS = 0.15;
    private static final double NORM = 0.2;

    private final JsonNode config;
    private final Random random;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<Double> deviations = new ArrayList<>();

    private RandomFolder(JsonNode config, Random random) {
        this.config = config;
        this.random = random;
    }

    public static void write(Path folder, JsonNode config, Random random) throws IOException {
        Files.createDirectories(folder);
        new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config);
        RandomFolder model = new RandomFolder(config, random);
        if (config.path("architectures").path(0).asText().equals("InternLM2ForCausalLM")) {
            model.declareInternLm2();
        } else {
            model.declare();
        }
        model.fill(folder.resolve("model.safetensors"));
    }

    private void declare() {
        int hidden = size("hidden_size");
        int middle = size("intermediate_size");
        int queries = size("num_attention_heads") * headDim();
        int keys = size("num_key_value_heads") * headDim();
        String family = config.path("architectures").path(0).asText();
        boolean qkvBias =
                family.equals("Qwen2ForCausalLM")
                        || config.path("bias").asBoolean()
                        || config.path("attention_bias").asBoolean();
        boolean outputBias = qkvBias && !family.equals("Qwen2ForCausalLM");
        add("model.embed_tokens.weight", EMBEDDING, size("vocab_size"), hidden);
        for (int i = 0; i < size("num_hidden_layers"); i++) {
            String layer = "model.layers." + i + ".";
            add(layer + "input_layernorm.weight", NORM, hidden);
            add(layer + "post_attention_layernorm.weight", NORM, hidden);
            linear(layer + "self_attn.q_proj", SHARP, queries, hidden, qkvBias);
            linear(layer + "self_attn.k_proj", SHARP, keys, hidden, qkvBias);
            linear(layer + "self_attn.v_proj", 1, keys, hidden, qkvBias);
            linear(layer + "self_attn.o_proj", 1, hidden, queries, outputBias);
            if (family.equals("Qwen3ForCausalLM")) {
                add(layer + "self_attn.q_norm.weight", NORM, headDim());
                add(layer + "self_attn.k_norm.weight", NORM, headDim());
            }
            linear(layer + "mlp.gate_proj", 1, middle, hidden, false);
            linear(layer + "mlp.up_proj", 1, middle, hidden, false);
            linear(layer + "mlp.down_proj", 1, hidden, middle, false);
        }
        add("model.norm.weight", NORM, hidden);
        if (!config.path("tie_word_embeddings").asBoolean()) {
            linear("lm_head", 1, size("vocab_size"), hidden, false);
        }
    }

    private void declareInternLm2() {
        int hidden = size("hidden_size");
        int middle = size("intermediate_size");
        int queries = size("num_attention_heads") * headDim();
        int keys = size("num_key_value_heads") * headDim();
        add("model.tok_embeddings.weight", EMBEDDING, size("vocab_size"), hidden);
        for (int i = 0; i < size("num_hidden_layers"); i++) {
            String layer = "model.layers." + i + ".";
            add(layer + "attention_norm.weight", NORM, hidden);
            add(layer + "ffn_norm.weight", NORM, hidden);
            linear(layer + "attention.wqkv", SHARP, queries + 2 * keys, hidden, false);
            linear(layer + "attention.wo", 1, hidden, queries, false);
            linear(layer + "feed_forward.w1", 1, middle, hidden, false);
            linear(layer + "feed_forward.w3", 1, middle, hidden, false);
            linear(layer + "feed_forward.w2", 1, hidden, middle, false);
        }
        add("model.norm.weight", NORM, hidden);
        linear("output", 1, size("vocab_size"), hidden, false);
    }

    private int size(String field) {
        return config.path(field).intValue();
    }

    private int headDim() {
        return config.path("head_dim").asInt(size("hidden_size") / size("num_attention_heads"));
    }

    private void linear(String name, double deviation, int outputs, int inputs, boolean bias) {
        add(name + ".weight", deviation / Math.sqrt(inputs), outputs, inputs);
        if (bias) add(name + ".bias", BIAS, outputs);
    }

    private void add(String name, double deviation, long... shape) {
        tensors.add(new Tensor(name, Type.F32, shape));
        deviations.add(deviation);
    }

    private void fill(Path file) throws IOException {
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            for (int i = 0; i < tensors.size(); i++) {
                boolean norm = tensors.get(i).name().endsWith("norm.weight");
                float[] values = new float[Math.toIntExact(tensors.get(i).size())];
                for (int j = 0; j < values.length; j++) {
                    double normal = deviations.get(i) * random.nextGaussian();
                    values[j] = (float) (norm ? 1 + normal : normal);
                }
                if (centred(tensors.get(i).name())) centre(values);
                writer.write(values);
            }
        }
    }

    /** What {@link org.tokenrate.gguf.HfToGguf#convertCentredQwen3} asks for. */
    private boolean centred(String name) {
        return config.path("architectures").path(0).asText().equals("Qwen3ForCausalLM")
                && (name.endsWith("q_proj.weight") || name.endsWith("k_proj.weight"));
    }

    /** Takes off the mean over each head's outputs, for every input. */
    private void centre(float[] matrix) {
        int inputs = size("hidden_size");
        for (int head = 0; head < matrix.length; head += headDim() * inputs) {
            for (int input = 0; input < inputs; input++) {
                double sum = 0;
                for (int i = 0; i < headDim(); i++) sum += matrix[head + i * inputs + input];
                for (int i = 0; i < headDim(); i++) {
                    matrix[head + i * inputs + input] -= (float) (sum / headDim());
                }
            }
        }
    }
}
