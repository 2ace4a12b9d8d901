package org.tokenrate.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;
import org.tokenrate.checkpoint.TorchArchiveWriter;
import org.tokenrate.device.RopeScaling;

/** Writes models in Meta's layout. */
public final class MetaFolder {
    /** How the shards divide the embedding. */
    public enum Embedding {
        /** As in Llama 1 and 2. */
        BY_COLUMNS,
        /** As in Llama 3. */
        BY_ROWS
    }

    /** A matrix of a shard; a vector has one row and {@code vector} set. */
    public record Part(float[] values, long... shape) {
        private Part rows(int from, int to) {
            int width = (int) shape[1];
            return new Part(Arrays.copyOfRange(values, from * width, to * width), to - from, width);
        }

        private Part columns(int from, int to) {
            float[] part = new float[(int) shape[0] * (to - from)];
            for (int r = 0; r < shape[0]; r++) {
                System.arraycopy(
                        values, r * (int) shape[1] + from, part, r * (to - from), to - from);
            }
            return new Part(part, shape[0], to - from);
        }

        /** The rows of each head as Meta has them: both of a rotary pair together. */
        private Part interleaved(int headDim) {
            int width = (int) shape[1];
            float[] out = new float[values.length];
            for (int row = 0; row < shape[0]; row++) {
                int within = row % headDim;
                int half = headDim / 2;
                int to = row - within + 2 * (within % half) + within / half;
                System.arraycopy(values, row * width, out, to * width, width);
            }
            return new Part(out, shape);
        }
    }

    private MetaFolder() {}

    /** Writes params.json and the shards. */
    public static void write(Path folder, RandomModel model, int shards, Embedding embedding)
            throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("params.json"), params(model.config()).toPrettyString());
        for (int s = 0; s < shards; s++) {
            writeShard(folder, s, shard(model, shards, s, embedding), model.stored());
        }
    }

    /** Writes a shard's file. */
    public static Path writeShard(Path folder, int shard, Map<String, Part> parts, DType stored)
            throws IOException {
        Type type = stored == DType.BF16 ? Type.BF16 : Type.F32;
        List<Tensor> tensors = new ArrayList<>();
        parts.forEach((name, part) -> tensors.add(new Tensor(name, type, part.shape())));
        Path file = folder.resolve("consolidated.%02d.pth".formatted(shard));
        try (var writer = TorchArchiveWriter.create(file, tensors)) {
            for (Part part : parts.values()) writer.write(part.values());
        }
        return file;
    }

    /** The params.json of a Llama without biases whose heads are as wide together as the model. */
    public static ObjectNode params(ModelConfig c) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("dim", c.hiddenSize());
        json.put("n_layers", c.layers());
        json.put("n_heads", c.heads());
        json.put("n_kv_heads", c.kvHeads());
        json.put("vocab_size", c.vocabularySize());
        json.put("norm_eps", c.rmsNormEps());
        json.put("rope_theta", c.rope().theta());
        json.put("use_scaled_rope", c.rope().scaling() instanceof RopeScaling.Llama3);
        json.put("max_seq_len", c.maxPositions());
        // Any width comes out of Meta's formula if what is rounded up to it is about half of it.
        json.put("multiple_of", c.intermediateSize());
        json.put("ffn_dim_multiplier", c.intermediateSize() / 2.0 / (8.0 * c.hiddenSize() / 3));
        return json;
    }

    /** The tensors of a shard by their names. */
    public static Map<String, Part> shard(
            RandomModel model, int shards, int shard, Embedding embedding) {
        ModelConfig c = model.config();
        Map<String, Part> parts = new LinkedHashMap<>();
        for (String name : model.names()) {
            Part whole = new Part(model.weight(name), model.shape(name));
            boolean turned = name.contains("q_proj") || name.contains("k_proj");
            if (turned) whole = whole.interleaved(c.headDim());
            parts.put(metaName(name), part(name, whole, shards, shard, embedding));
        }
        if (c.tiedEmbeddings()) { // Meta stores the head all the same
            String name = "model.embed_tokens.weight";
            Part whole = new Part(model.weight(name), model.shape(name));
            parts.put("output.weight", part("lm_head.weight", whole, shards, shard, embedding));
        }
        parts.put("rope.freqs", new Part(new float[c.headDim() / 2], c.headDim() / 2));
        return parts;
    }

    private static Part part(String name, Part whole, int shards, int shard, Embedding embedding) {
        if (name.contains("norm")) return whole;
        boolean columns =
                name.contains("o_proj")
                        || name.contains("down_proj")
                        || name.contains("embed_tokens") && embedding == Embedding.BY_COLUMNS;
        int extent = (int) whole.shape()[columns ? 1 : 0];
        if (extent % shards != 0) {
            throw new IllegalArgumentException(name + " cannot be divided into " + shards);
        }
        int from = extent / shards * shard;
        int to = extent / shards * (shard + 1);
        return columns ? whole.columns(from, to) : whole.rows(from, to);
    }

    private static String metaName(String name) {
        return name.replace("model.", "")
                .replace("self_attn.q_proj", "attention.wq")
                .replace("self_attn.k_proj", "attention.wk")
                .replace("self_attn.v_proj", "attention.wv")
                .replace("self_attn.o_proj", "attention.wo")
                .replace("mlp.gate_proj", "feed_forward.w1")
                .replace("mlp.down_proj", "feed_forward.w2")
                .replace("mlp.up_proj", "feed_forward.w3")
                .replace("input_layernorm", "attention_norm")
                .replace("post_attention_layernorm", "ffn_norm")
                .replace("embed_tokens", "tok_embeddings")
                .replace("lm_head", "output");
    }
}
