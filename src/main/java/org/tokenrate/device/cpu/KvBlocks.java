package org.tokenrate.device.cpu;

import org.tokenrate.device.KvCache;

/**
 * The KV cache: blocks in the Java heap, where the Vector API reads them at full speed; each made
 * when it is first written and then kept.
 *
 * <p>A block is {@code [layer][tile][KV head]}: heads of a tile lie one behind the other, for they
 * are read so. A head of a tile is its keys, transposed ({@code [headDim][64 tokens]}: scores of 64
 * tokens come without a sum across lanes), then its values ({@code [64 tokens][headDim]}: a
 * weighted sum over tokens likewise).
 *
 * @param <A> the array type of a block
 */
final class KvBlocks<A> implements KvCache {
    private final KvKernel<A> kernel;
    private final A[] blocks;
    private final int blockTokens;
    private final int blockTiles;
    private final int kvHeads;
    private final int headElements;
    private final int blockElements;

    KvBlocks(KvKernel<A> kernel, int count, int blockTokens, int layers, int kvHeads, int headDim) {
        this.kernel = kernel;
        this.blockTokens = blockTokens;
        blockTiles = blockTokens / TILE_TOKENS;
        this.kvHeads = kvHeads;
        headElements = kernel.arrayElements(TILE_TOKENS * headDim);
        blockElements =
                kernel.arrayElements(KvCache.blockElements(blockTokens, layers, kvHeads, headDim));
        blocks = kernel.newBlocks(count);
    }

    @Override
    public int blockTokens() {
        return blockTokens;
    }

    KvKernel<A> kernel() {
        return kernel;
    }

    /** A block's array, made on first use. */
    A block(int id) {
        A block = blocks[id];
        return block == null ? blocks[id] = kernel.newBlock(blockElements) : block;
    }

    /** The array with a position of a sequence, whose blocks these are. */
    A block(int[] sequenceBlocks, int position) {
        return block(sequenceBlocks[position / blockTokens]);
    }

    /** Where a head's keys of the tile with a position begin in that position's block. */
    int keys(int layer, int position, int kvHead) {
        int tile = layer * blockTiles + position % blockTokens / TILE_TOKENS;
        return (tile * kvHeads + kvHead) * 2 * headElements;
    }

    /** Where a head's values of that tile begin, if its keys begin there. */
    int values(int keys) {
        return keys + headElements;
    }
}
