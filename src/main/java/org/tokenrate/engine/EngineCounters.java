package org.tokenrate.engine;

/**
 * An engine's counters since it started.
 *
 * @param iterations scheduler iterations run
 * @param preemptions times a sequence lost its KV blocks and was queued again
 * @param kvBlocksInUse KV blocks held now
 * @param kvBlocksPeak most KV blocks held at once
 */
public record EngineCounters(
        long iterations, long preemptions, long kvBlocksInUse, long kvBlocksPeak) {
    /** Counters of an engine that has none of these parts. */
    public static final EngineCounters NONE = new EngineCounters(0, 0, 0, 0);
}
