package org.tokenrate.model;

import java.util.List;

/**
 * What a family calls its tensors. Linear layers are named without {@code .weight} and {@code
 * .bias}, and those of a decoder layer without the layer's own name.
 *
 * @param layers of which {@code layers + "." + i} is layer i
 * @param qkv the query, key and value projections; or one of all three, whose outputs lie KV head
 *     by KV head: its queries, its key, its value
 */
record TensorNames(
        String embedding,
        String layers,
        String attentionNorm,
        List<String> qkv,
        String queryNorm,
        String keyNorm,
        String output,
        String mlpNorm,
        String gate,
        String up,
        String down,
        String finalNorm,
        String head) {

    /** Llama's, which most families took over. */
    static final TensorNames LLAMA =
            new TensorNames(
                    "model.embed_tokens.weight",
                    "model.layers",
                    "input_layernorm.weight",
                    List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                    "self_attn.q_norm.weight",
                    "self_attn.k_norm.weight",
                    "self_attn.o_proj",
                    "post_attention_layernorm.weight",
                    "mlp.gate_proj",
                    "mlp.up_proj",
                    "mlp.down_proj",
                    "model.norm.weight",
                    "lm_head");

    static final TensorNames INTERNLM2 =
            new TensorNames(
                    "model.tok_embeddings.weight",
                    "model.layers",
                    "attention_norm.weight",
                    List.of("attention.wqkv"),
                    "attention.q_norm.weight",
                    "attention.k_norm.weight",
                    "attention.wo",
                    "ffn_norm.weight",
                    "feed_forward.w1",
                    "feed_forward.w3",
                    "feed_forward.w2",
                    "model.norm.weight",
                    "output");

    String layer(int i) {
        return layers + "." + i + ".";
    }
}
