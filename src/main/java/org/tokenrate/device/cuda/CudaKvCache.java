package org.tokenrate.device.cuda;

import org.tokenrate.device.KvCache;

/**
 * Keys and values, {@code [block, layer, blockTiles, 2, kvHeads, 64, headDim]}: a block lies
 * together.
 *
 * @param blockElements of one block
 */
record CudaKvCache(
        long address,
        int blocks,
        int blockTokens,
        int layers,
        int kvHeads,
        int headDim,
        int blockElements)
        implements KvCache {
    int blockTiles() {
        return blockTokens / TILE_TOKENS;
    }
}
