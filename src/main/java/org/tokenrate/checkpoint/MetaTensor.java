package org.tokenrate.checkpoint;

import java.util.List;

/**
 * A tensor of Meta's layout: its names there and in Hugging Face's, its whole shape, and how the
 * model-parallel shards divide it.
 *
 * @param rotary whether its rows are turned, and so lie in another order in the two layouts
 * @see <a href="https://github.com/meta-llama/llama-models/blob/main/models/llama3/model.py">Meta's
 *     model</a>
 */
record MetaTensor(String name, String hfName, Split split, boolean rotary, List<Long> shape) {
    /** What a shard holds of a tensor. */
    enum Split {
        /** The whole. */
        NONE,
        /** Some rows: outputs of a column-parallel layer, or tokens of the embedding. */
        ROWS,
        /** Some columns: inputs of a row-parallel layer, or a slice of the embedding. */
        COLUMNS
    }

    static final String EMBEDDING = "tok_embeddings.weight";

    /** The rotary frequencies, which Llama 1 and 2 store and everyone computes. */
    static final String FREQUENCIES = "rope.freqs";

    /** The embedding, which Llama 1 and 2 divide by columns and Llama 3 by rows. */
    static MetaTensor embedding(int vocabulary, int dim, Split split) {
        return new MetaTensor(
                EMBEDDING,
                "model.embed_tokens.weight",
                split,
                false,
                List.of((long) vocabulary, (long) dim));
    }

    /** What follows the layers. */
    static List<MetaTensor> last(int vocabulary, int dim) {
        return List.of(
                norm("norm.weight", "model.norm.weight", dim),
                matrix("output.weight", "lm_head.weight", Split.ROWS, vocabulary, dim));
    }

    static List<MetaTensor> layer(int layer, MetaParams params) {
        String meta = "layers." + layer + ".";
        String hf = "model.layers." + layer + ".";
        String attention = hf + "self_attn.";
        int dim = params.dim();
        int keys = params.kvHeads() * params.headDim();
        int middle = params.ffnWidth();
        return List.of(
                norm(meta + "attention_norm.weight", hf + "input_layernorm.weight", dim),
                norm(meta + "ffn_norm.weight", hf + "post_attention_layernorm.weight", dim),
                turned(meta + "attention.wq.weight", attention + "q_proj.weight", dim, dim),
                turned(meta + "attention.wk.weight", attention + "k_proj.weight", keys, dim),
                matrix(
                        meta + "attention.wv.weight",
                        attention + "v_proj.weight",
                        Split.ROWS,
                        keys,
                        dim),
                matrix(
                        meta + "attention.wo.weight",
                        attention + "o_proj.weight",
                        Split.COLUMNS,
                        dim,
                        dim),
                matrix(
                        meta + "feed_forward.w1.weight",
                        hf + "mlp.gate_proj.weight",
                        Split.ROWS,
                        middle,
                        dim),
                matrix(
                        meta + "feed_forward.w3.weight",
                        hf + "mlp.up_proj.weight",
                        Split.ROWS,
                        middle,
                        dim),
                matrix(
                        meta + "feed_forward.w2.weight",
                        hf + "mlp.down_proj.weight",
                        Split.COLUMNS,
                        dim,
                        middle));
    }

    private static MetaTensor norm(String name, String hfName, long size) {
        return new MetaTensor(name, hfName, Split.NONE, false, List.of(size));
    }

    private static MetaTensor turned(String name, String hfName, long rows, long columns) {
        return new MetaTensor(name, hfName, Split.ROWS, true, List.of(rows, columns));
    }

    private static MetaTensor matrix(
            String name, String hfName, Split split, long rows, long columns) {
        return new MetaTensor(name, hfName, split, false, List.of(rows, columns));
    }

    /** The shape of what each of some shards holds. */
    List<Long> shardShape(int shards) {
        return switch (split) {
            case NONE -> shape;
            case ROWS -> List.of(shape.get(0) / shards, shape.get(1));
            case COLUMNS -> List.of(shape.get(0), shape.get(1) / shards);
        };
    }

    /** The tensor from what each shard holds, under Hugging Face's name and in its order. */
    TensorData join(List<TensorData> parts, int headDim) {
        TensorData whole =
                switch (split) {
                    case NONE -> new JoinedRows(hfName, parts.subList(0, 1));
                    case ROWS -> new JoinedRows(hfName, parts);
                    case COLUMNS ->
                            parts.size() == 1
                                    ? new JoinedRows(hfName, parts)
                                    : new JoinedColumns(hfName, parts);
                };
        return rotary ? new HalfSplitRows(whole, headDim) : whole;
    }
}
