package org.tokenrate.engine.local;

/** The KV blocks that nobody holds. Changed by the engine's thread alone; others may look. */
final class KvBlockPool {
    private final int[] free;
    private volatile int freeCount;
    private volatile int peak;

    KvBlockPool(int blocks) {
        free = new int[blocks];
        // The lowest ids go out first, and what came back last goes out again: warm memory.
        for (int i = 0; i < blocks; i++) free[i] = blocks - 1 - i;
        freeCount = blocks;
    }

    int total() {
        return free.length;
    }

    int free() {
        return freeCount;
    }

    int inUse() {
        return free.length - freeCount;
    }

    int peak() {
        return peak;
    }

    /** A block; the caller has checked that there is one. */
    int take() {
        int block = free[--freeCount];
        if (inUse() > peak) peak = inUse();
        return block;
    }

    void giveBack(int block) {
        free[freeCount++] = block;
    }
}
