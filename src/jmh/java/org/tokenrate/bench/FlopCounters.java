package org.tokenrate.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Arithmetic done, counted from its shape and divided by JMH's own time: what JMH shows as {@code
 * gflop} in ops/s is GFLOP/s.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class FlopCounters {
    /** Floating-point operations / 1e9; a multiplication and an addition are two. */
    public double gflop;

    void add(double flops) {
        gflop += flops / 1e9;
    }
}
