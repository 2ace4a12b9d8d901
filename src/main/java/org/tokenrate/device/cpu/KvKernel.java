package org.tokenrate.device.cpu;

import org.tokenrate.checkpoint.DType;

/**
 * How keys and values lie in a tile of a block, and the two inner loops of attention over one tile
 * and one KV head. A "row" is a query: one head of one token. Rows come four at a time where there
 * are four, so that each key and value that was loaded serves four.
 *
 * @param <A> the array type of a block
 */
interface KvKernel<A> {
    /** What keys and values are kept as. */
    DType type();

    /** Array elements that hold {@code numbers} numbers. */
    int arrayElements(int numbers);

    A newBlock(int elements);

    A[] newBlocks(int count);

    /**
     * Writes one token's key.
     *
     * @param bits room for {@code headDim} ints
     */
    void storeKey(A block, int keys, int slot, float[] key, int offset, int headDim, int[] bits);

    /** Writes one token's value. */
    void storeValue(A block, int values, int slot, float[] value, int offset, int headDim);

    /**
     * scores[r][t] = q[r] . k[t] for r below {@code rows} (4 or 1) and all 64 tokens.
     *
     * @param q rows of {@code headDim}, from {@code qOffset} on
     * @param scores rows of 64
     */
    void scores(A block, int keys, float[] q, int qOffset, int headDim, int rows, float[] scores);

    /**
     * sums[r] = sums[r] * decay[r] + sum over t of p[r][t] v[t], for t below {@code tokens}.
     *
     * @param p rows of 64, of which those from {@code tokens} on are 0
     * @param sums rows of {@code headDim}, from {@code sumsOffset} on
     */
    void accumulate(
            A block,
            int values,
            float[] p,
            int tokens,
            float[] decay,
            float[] sums,
            int sumsOffset,
            int headDim,
            int rows);
}
