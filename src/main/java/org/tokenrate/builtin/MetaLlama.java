package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;
import org.tokenrate.checkpoint.TorchArchiveWriter;

/**
 * The built-in model as Meta lays out a Llama: a torch archive, names of its own, an output
 * projection of its own, and the rows of queries and keys with each rotary pair side by side.
 */
final class MetaLlama {
    private static final String LAYER = "model.layers.";
    private static final int HEAD_DIM = 64;

    private MetaLlama() {}

    /**
     * A tensor and where its weights are from.
     *
     * @param source name in {@link RandomLlama}
     */
    private record Weights(Tensor tensor, String source) {}

    static void write(Path file) throws IOException {
        List<Weights> all = all();
        try (var writer =
                TorchArchiveWriter.create(file, all.stream().map(Weights::tensor).toList())) {
            for (Weights w : all) {
                float[] values = RandomLlama.values(w.source);
                boolean rotary = w.source.contains("q_proj") || w.source.contains("k_proj");
                writer.write(rotary ? pairs(values, (int) w.tensor.shape()[1]) : values);
            }
        }
    }

    private static List<Weights> all() throws IOException {
        var all = new ArrayList<Weights>();
        for (Tensor t : RandomLlama.tensors()) {
            all.add(new Weights(new Tensor(metaName(t.name()), Type.BF16, t.shape()), t.name()));
            if (t.name().equals("model.embed_tokens.weight")) {
                all.add(new Weights(new Tensor("output.weight", Type.BF16, t.shape()), t.name()));
            }
        }
        return all;
    }

    private static String metaName(String name) {
        if (name.startsWith(LAYER)) {
            int dot = name.indexOf('.', LAYER.length());
            String layer = "layers." + name.substring(LAYER.length(), dot);
            return switch (name.substring(dot + 1)) {
                case "input_layernorm.weight" -> layer + ".attention_norm.weight";
                case "self_attn.q_proj.weight" -> layer + ".attention.wq.weight";
                case "self_attn.k_proj.weight" -> layer + ".attention.wk.weight";
                case "self_attn.v_proj.weight" -> layer + ".attention.wv.weight";
                case "self_attn.o_proj.weight" -> layer + ".attention.wo.weight";
                case "post_attention_layernorm.weight" -> layer + ".ffn_norm.weight";
                case "mlp.gate_proj.weight" -> layer + ".feed_forward.w1.weight";
                case "mlp.up_proj.weight" -> layer + ".feed_forward.w3.weight";
                case "mlp.down_proj.weight" -> layer + ".feed_forward.w2.weight";
                default -> throw new IllegalArgumentException("no name of Meta's for " + name);
            };
        }
        return switch (name) {
            case "model.embed_tokens.weight" -> "tok_embeddings.weight";
            case "model.norm.weight" -> "norm.weight";
            default -> throw new IllegalArgumentException("no name of Meta's for " + name);
        };
    }

    /** Row {@code p * HEAD_DIM / 2 + j} of each head becomes row {@code 2 j + p}. */
    private static float[] pairs(float[] values, int columns) {
        var out = new float[values.length];
        for (int row = 0; row < values.length / columns; row++) {
            int inHead = row % HEAD_DIM;
            int to = row - inHead + 2 * (inHead % (HEAD_DIM / 2)) + inHead / (HEAD_DIM / 2);
            System.arraycopy(values, row * columns, out, to * columns, columns);
        }
        return out;
    }
}
