package org.tokenrate.model;

/**
 * A decoder's attention layers.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim width of a head; even
 * @param qkvBias whether the query, key and value projections have biases
 * @param outputBias whether the output projection has one
 * @param headNorms whether each query and key head is normed before it is turned
 * @param window which layers see only the last tokens
 */
public record AttentionConfig(
        int heads,
        int kvHeads,
        int headDim,
        boolean qkvBias,
        boolean outputBias,
        boolean headNorms,
        SlidingWindow window) {

    /** Attention as Llama has it: no biases, no norms, no window. */
    public static AttentionConfig plain(int heads, int kvHeads, int headDim) {
        return new AttentionConfig(
                heads, kvHeads, headDim, false, false, false, SlidingWindow.NONE);
    }
}
