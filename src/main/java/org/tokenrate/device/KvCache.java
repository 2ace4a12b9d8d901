package org.tokenrate.device;

/** The memory of keys and values of all layers, in blocks of {@link #BLOCK_TOKENS} tokens. */
public interface KvCache {
    /** Tokens that a block holds. */
    int BLOCK_TOKENS = 64;
}
