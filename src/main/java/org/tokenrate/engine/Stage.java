package org.tokenrate.engine;

import java.util.Locale;

/** What an engine that runs in iterations spends its time on, in the order of an iteration. */
public enum Stage {
    /** Taking in requests and choosing the iteration's tokens. */
    SCHEDULE,
    /** On a device with a queue: what it waits for, the engine's thread above all. */
    QUEUE,
    /**
     * On a device with a queue: the batch's copy to it, and the operations of an iteration that is
     * played back as one, where they cannot be told apart.
     */
    GRAPH,
    /** Rows of the embedding. */
    EMBED,
    /** All norms of the residual stream. */
    NORM,
    /** The products that give queries, keys and values. */
    QKV,
    /** Norms of the heads, turning by position, writing keys and values to the cache. */
    ROPE,
    ATTENTION,
    /** Attention's output projection; with several ranks, its sum over them, waiting included. */
    OUTPUT,
    /**
     * All three products of the MLP, and its activation; with several ranks, the sum over them,
     * waiting included.
     */
    MLP,
    /** The product that gives logits. */
    HEAD,
    /** Joining the ranks' logits, waiting for them included. */
    GATHER,
    /** Choosing tokens from logits. */
    SAMPLE,
    /** Telling listeners of their tokens: text is made of them, and the next request comes. */
    DELIVER,
    /** Nothing to run. */
    IDLE;

    /** Lower-case, as files have it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
