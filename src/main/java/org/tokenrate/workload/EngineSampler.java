package org.tokenrate.workload;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tokenrate.engine.EngineCounters;

/**
 * Keeps an engine's counters over the course of a run, evenly thinned out so that their number has
 * a bound however long the run is. Used by the thread that waits for the run, not by the engine's.
 */
final class EngineSampler {
    static final int MOST_SAMPLES = 2048;

    private final boolean hasPool;
    private final Supplier<EngineCounters> counters;
    private final List<EngineSample> samples = new ArrayList<>();
    private long stride = 1;
    private long calls;

    /**
     * @param hasPool whether the engine has a KV pool; there is nothing to keep of one without
     */
    EngineSampler(boolean hasPool, Supplier<EngineCounters> counters) {
        this.hasPool = hasPool;
        this.counters = counters;
    }

    /** Takes a sample, or passes this one over. Call it at even intervals. */
    void sample(long nanos) {
        if (!hasPool || calls++ % stride != 0) return;
        samples.add(new EngineSample(nanos, counters.get()));
        if (samples.size() < MOST_SAMPLES) return;
        // Every second one goes, and from now on every second one is not taken.
        for (int i = 0; i < MOST_SAMPLES / 2; i++) samples.set(i, samples.get(2 * i));
        samples.subList(MOST_SAMPLES / 2, MOST_SAMPLES).clear();
        stride *= 2;
    }

    /** In the order of time. */
    List<EngineSample> samples() {
        return List.copyOf(samples);
    }
}
