package org.tokenrate.device;

/**
 * The heads of an attention layer.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim width of a head
 * @param rope how queries and keys are turned
 * @param maxPositions positions that can occur
 */
public record AttentionShape(int heads, int kvHeads, int headDim, Rope rope, int maxPositions) {
    /** Query heads that share a key and value head. */
    public int group() {
        return heads / kvHeads;
    }

    /** Columns of one KV head in a fused projection: its queries, its key, its value. */
    public int columnsPerKvHead() {
        return (group() + 2) * headDim;
    }
}
