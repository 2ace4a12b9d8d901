package org.tokenrate.builtin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/**
 * The weights of the built-in model: random, from a fixed seed, in the shapes that {@code
 * config.json} gives. How fast a model runs does not depend on what its weights say.
 */
final class RandomLlama {
    private static final long SEED = 20_170_612;

    /** Norm weights of trained models lie around one. */
    private static final double NORM_SPREAD = 0.1;

    private RandomLlama() {}

    /** Writes the weights in bf16, under the names that Hugging Face's Llama uses. */
    static void write(Path file) throws IOException {
        List<Tensor> tensors = tensors();
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            for (Tensor tensor : tensors) writer.write(values(tensor.name()));
        }
    }

    /** The tensors, in the order in which they lie in the file. */
    static List<Tensor> tensors() throws IOException {
        return tensors(new ObjectMapper().readTree(Resources.bytes("config.json")));
    }

    /** A tensor's weights, row-major, before they are rounded to bf16. */
    static float[] values(String name) throws IOException {
        List<Tensor> tensors = tensors();
        for (int i = 0; i < tensors.size(); i++) {
            if (tensors.get(i).name().equals(name)) {
                return values(tensors.get(i), new SplitMix64(SEED + i));
            }
        }
        throw new IllegalArgumentException("the built-in model has no tensor " + name);
    }

    private static List<Tensor> tensors(JsonNode config) {
        long hidden = config.get("hidden_size").asLong();
        long vocabulary = config.get("vocab_size").asLong();
        long intermediate = config.get("intermediate_size").asLong();
        long headDim = config.get("head_dim").asLong();
        long queries = config.get("num_attention_heads").asLong() * headDim;
        long keys = config.get("num_key_value_heads").asLong() * headDim;

        var tensors = new ArrayList<Tensor>();
        tensors.add(bf16("model.embed_tokens.weight", vocabulary, hidden));
        for (int layer = 0; layer < config.get("num_hidden_layers").asInt(); layer++) {
            String prefix = "model.layers." + layer + ".";
            tensors.add(bf16(prefix + "input_layernorm.weight", hidden));
            tensors.add(bf16(prefix + "self_attn.q_proj.weight", queries, hidden));
            tensors.add(bf16(prefix + "self_attn.k_proj.weight", keys, hidden));
            tensors.add(bf16(prefix + "self_attn.v_proj.weight", keys, hidden));
            tensors.add(bf16(prefix + "self_attn.o_proj.weight", hidden, queries));
            tensors.add(bf16(prefix + "post_attention_layernorm.weight", hidden));
            tensors.add(bf16(prefix + "mlp.gate_proj.weight", intermediate, hidden));
            tensors.add(bf16(prefix + "mlp.up_proj.weight", intermediate, hidden));
            tensors.add(bf16(prefix + "mlp.down_proj.weight", hidden, intermediate));
        }
        tensors.add(bf16("model.norm.weight", hidden));
        return tensors;
    }

    private static Tensor bf16(String name, long... shape) {
        return new Tensor(name, Type.BF16, shape);
    }

    private static float[] values(Tensor tensor, SplitMix64 random) {
        boolean norm = tensor.shape().length == 1;
        double mean = norm ? 1 : 0;
        double deviation = norm ? NORM_SPREAD : deviation(tensor);
        var values = new float[Math.toIntExact(tensor.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return values;
    }

    /**
     * A projection keeps the variance of what it projects. The embedding, being the output
     * projection too, is one of them; were it larger, each token would predict itself.
     */
    private static double deviation(Tensor tensor) {
        return 1 / StrictMath.sqrt(tensor.shape()[1]);
    }
}
