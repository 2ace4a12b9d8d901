package org.tokenrate.engine.local;

import org.tokenrate.device.KvCache;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.TokenListener;

/** A request on its way through the engine. */
final class Sequence implements Generation {
    final GenerationRequest request;
    final TokenListener listener;

    /** Prompt and generated tokens, {@code [prompt + maxNewTokens]}. */
    final int[] tokens;

    /** KV blocks held, in the order of positions. */
    final int[] blocks;

    private final Runnable onCancel;

    int blockCount;

    /** Tokens known: the prompt's and those generated. */
    int known;

    /** Tokens whose keys and values are in the cache. */
    int computed;

    volatile boolean cancelled;

    Sequence(GenerationRequest request, TokenListener listener, Runnable onCancel) {
        this.request = request;
        this.listener = listener;
        this.onCancel = onCancel;
        int[] prompt = request.promptTokens();
        tokens = new int[prompt.length + request.maxNewTokens()];
        System.arraycopy(prompt, 0, tokens, 0, prompt.length);
        blocks = new int[blocksFor(tokens.length)];
        known = prompt.length;
    }

    static int blocksFor(int tokens) {
        return KvCache.blocksFor(tokens, RankedDecoder.BLOCK_TOKENS);
    }

    int generated() {
        return known - request.promptTokens().length;
    }

    /** Tokens that still have to go through the decoder before the next one is known. */
    int pending() {
        return known - computed;
    }

    /** Blocks to take before the first {@code count} tokens can be in the cache. */
    int missingBlocks(int count) {
        return Math.max(0, blocksFor(count) - blockCount);
    }

    void takeBlocks(int count, KvBlockPool pool) {
        for (int i = missingBlocks(count); i > 0; i--) blocks[blockCount++] = pool.take();
    }

    void giveBackBlocks(KvBlockPool pool) {
        while (blockCount > 0) pool.giveBack(blocks[--blockCount]);
        computed = 0;
    }

    @Override
    public void cancel() {
        cancelled = true;
        onCancel.run();
    }
}
