package org.tokenrate.device;

/**
 * The memory of keys and values of all layers. Sequences hold it by the block; a block is made of
 * tiles of {@link #TILE_TOKENS} tokens, one behind the other in each layer, and kernels go over it
 * tile by tile, whatever its size.
 */
public interface KvCache {
    /** Tokens of a tile: known to compilers, for the kernels' speed. */
    int TILE_TOKENS = 64;

    /** Tokens that a block holds, a multiple of {@link #TILE_TOKENS}. */
    int blockTokens();

    /** Blocks that hold so many tokens of a sequence. */
    default int blocksFor(int tokens) {
        return blocksFor(tokens, blockTokens());
    }

    /** Blocks of {@code blockTokens} that hold so many tokens of a sequence. */
    static int blocksFor(int tokens, int blockTokens) {
        return (tokens + blockTokens - 1) / blockTokens;
    }

    /**
     * Numbers that a block holds: keys and values of every layer for its tokens.
     *
     * @throws IllegalArgumentException unless a block is a tile or several, of at most 2^31 - 1
     *     numbers, which is what kernels address
     */
    static int blockElements(int blockTokens, int layers, int kvHeads, int headDim) {
        if (blockTokens < TILE_TOKENS || blockTokens % TILE_TOKENS != 0) {
            throw new IllegalArgumentException(
                    "a KV block of %d tokens must have %d or a multiple of them, e.g. %d"
                            .formatted(blockTokens, TILE_TOKENS, 2 * TILE_TOKENS));
        }
        double elements = 2.0 * blockTokens * layers * kvHeads * headDim;
        if (elements > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a KV block of %d tokens in %d layers of %d heads of %d has %.0f numbers, of at most %d; give it fewer tokens"
                            .formatted(
                                    blockTokens,
                                    layers,
                                    kvHeads,
                                    headDim,
                                    elements,
                                    Integer.MAX_VALUE));
        }
        return (int) elements;
    }
}
