package org.tokenrate.device.cuda.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * A batch over a paged cache, as plain arrays: some tokens of each sequence, whose earlier tokens
 * are in the cache already.
 */
final class Paged {
    private static final int TILE = 64;

    final int layers = 2;
    final int layer;
    final int kvHeads;
    final int group;
    final int headDim;
    final int blockTiles;
    final int maxBlocks;
    final int blocks;
    final int[] start; // [sequences + 1]
    final int[] positions; // [tokens]
    final int[] sequenceOf; // [tokens]
    final int[] blockTable; // [sequences, maxBlocks]

    /** With blocks of one tile. */
    Paged(Random random, int kvHeads, int group, int headDim, int[] first, int[] count) {
        this(random, kvHeads, group, headDim, 1, first, count);
    }

    /**
     * @param blockTiles tiles of 64 tokens that a block of the cache has
     * @param first position of each sequence's first token of the batch
     * @param count tokens of each sequence in the batch
     */
    Paged(
            Random random,
            int kvHeads,
            int group,
            int headDim,
            int blockTiles,
            int[] first,
            int[] count) {
        this.blockTiles = blockTiles;
        this.kvHeads = kvHeads;
        this.group = group;
        this.headDim = headDim;
        layer = random.nextInt(layers);
        int sequences = first.length;
        start = new int[sequences + 1];
        int most = 0;
        int held = 0;
        for (int s = 0; s < sequences; s++) {
            start[s + 1] = start[s] + count[s];
            int needed = blocksFor(first[s] + count[s]);
            most = Math.max(most, needed);
            held += needed;
        }
        maxBlocks = most + random.nextInt(3);
        blocks = held + 1; // one that nobody may touch
        List<Integer> free = new ArrayList<>();
        for (int b = 0; b < blocks; b++) free.add(b);
        Collections.shuffle(free, random);
        positions = new int[start[sequences]];
        sequenceOf = new int[start[sequences]];
        blockTable = new int[sequences * maxBlocks];
        Arrays.fill(blockTable, -1);
        for (int s = 0; s < sequences; s++) {
            for (int i = 0; i < count[s]; i++) {
                positions[start[s] + i] = first[s] + i;
                sequenceOf[start[s] + i] = s;
            }
            for (int b = 0; b < blocksFor(first[s] + count[s]); b++) {
                blockTable[s * maxBlocks + b] = free.remove(free.size() - 1);
            }
        }
    }

    private int blocksFor(int tokens) {
        return (tokens + blockTiles * TILE - 1) / (blockTiles * TILE);
    }

    int tokens() {
        return positions.length;
    }

    int sequences() {
        return start.length - 1;
    }

    int heads() {
        return kvHeads * group;
    }

    int rowWidth() {
        return kvHeads * (group + 2) * headDim;
    }

    int blockElements() {
        return layers * blockTiles * 2 * kvHeads * TILE * headDim;
    }

    int cacheElements() {
        return blocks * blockElements();
    }

    /** Where the cache has a key's (0) or value's (1) first element. */
    int at(int sequence, int position, int keyOrValue, int kvHead) {
        int block = blockTable[sequence * maxBlocks + position / (blockTiles * TILE)];
        int tile = layer * blockTiles + position / TILE % blockTiles;
        int head = (tile * 2 + keyOrValue) * kvHeads + kvHead;
        return block * blockElements() + (head * TILE + position % TILE) * headDim;
    }

    /** Where qkv has a token's query (below group), key (group) or value (group + 1). */
    int qkvAt(int token, int kvHead, int part) {
        return token * rowWidth() + (kvHead * (group + 2) + part) * headDim;
    }
}
