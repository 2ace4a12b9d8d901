package org.tokenrate.engine.simulated;

import java.util.SplittableRandom;

/** The times between one request's tokens, each asked for once and in order. */
final class TokenSchedule {
    private final SimulatedTiming timing;
    private final double shared;
    private final double step;
    private final SplittableRandom random;

    /**
     * @param shared factor of every time
     * @param step spread of each time's own factor
     */
    TokenSchedule(SimulatedTiming timing, double shared, double step, SplittableRandom random) {
        this.timing = timing;
        this.shared = shared;
        this.step = step;
        this.random = random;
    }

    /** From submit to the first token. */
    long firstNanos() {
        return nanos(timing.ttftNanos());
    }

    /** From a token to the next. */
    long nextNanos() {
        return nanos(timing.tpotNanos());
    }

    private long nanos(long set) {
        double factor = shared * NoiseSource.factor(step, random);
        return Math.round(factor * (set + timing.delayNanos()));
    }
}
