package org.tokenrate.device.cpu;

import org.tokenrate.device.KvCache;

/**
 * The KV cache: blocks in the Java heap, where the Vector API reads them at full speed; each made
 * when it is first written and then kept.
 *
 * <p>A block holds for each layer and KV head its keys, transposed ({@code [headDim][64 tokens]}:
 * scores of 64 tokens come without a sum across lanes), then its values ({@code [64
 * tokens][headDim]}: a weighted sum over tokens likewise).
 *
 * @param <A> the array type of a block
 */
final class KvBlocks<A> implements KvCache {
    private final KvKernel<A> kernel;
    private final A[] blocks;
    private final int kvHeads;
    private final int headElements;
    private final int blockElements;

    KvBlocks(KvKernel<A> kernel, int count, int layers, int kvHeads, int headDim) {
        this.kernel = kernel;
        this.kvHeads = kvHeads;
        headElements = kernel.arrayElements(BLOCK_TOKENS * headDim);
        blockElements = Math.multiplyExact(layers * kvHeads * 2, headElements);
        blocks = kernel.newBlocks(count);
    }

    KvKernel<A> kernel() {
        return kernel;
    }

    /** A block's array, made on first use. */
    A block(int id) {
        A block = blocks[id];
        return block == null ? blocks[id] = kernel.newBlock(blockElements) : block;
    }

    int keys(int layer, int kvHead) {
        return (layer * kvHeads + kvHead) * 2 * headElements;
    }

    int values(int layer, int kvHead) {
        return keys(layer, kvHead) + headElements;
    }
}
