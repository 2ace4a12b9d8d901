package org.tokenrate.engine.simulated;

import java.util.OptionalLong;

/**
 * How times scatter: each is multiplied by log-normal factors of mean 1, one a token, one a
 * workload and one a JVM, as a real engine's steps, runs and forks differ. A workload begins when a
 * request comes from outside, not from a listener, and none is in flight.
 *
 * @param step standard deviation of the logarithm of a token's factor, in [0, 1]
 * @param iteration of a workload's, which all of its tokens share
 * @param fork of a JVM's
 * @param seed from which all factors follow; without one each JVM draws its own, from its process
 *     id and start, so that forks of the same parameters differ
 */
public record Noise(double step, double iteration, double fork, OptionalLong seed) {
    /** Every time as set. */
    public static final Noise NONE = new Noise(0, 0, 0, OptionalLong.empty());

    /** Of the step's, where only that is given: what stays of a spread when steps average out. */
    static final double SHARED = 0.2;

    public Noise {
        requireSpread("step", step);
        requireSpread("iteration", iteration);
        requireSpread("fork", fork);
    }

    boolean isNone() {
        return step == 0 && iteration == 0 && fork == 0;
    }

    private static void requireSpread(String what, double sigma) {
        if (!(sigma >= 0 && sigma <= 1)) {
            throw new IllegalArgumentException(
                    "noise of a " + what + " of " + sigma + " must be from 0 to 1, e.g. 0.05");
        }
    }
}
