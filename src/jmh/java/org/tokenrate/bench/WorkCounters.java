package org.tokenrate.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Work done, counted from its shape, which JMH divides by its own time: what it shows as {@code
 * gflop} and {@code gb} in ops/s are GFLOP/s and GB/s, in units of 1e9.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class WorkCounters {
    private static final double GIGA = 1e9;

    /** Floating-point operations / 1e9; a multiplication and an addition are two. */
    public double gflop;

    /** Bytes / 1e9 of what the benchmark says that it counts. */
    public double gb;

    void add(double flops, double bytes) {
        gflop += flops / GIGA;
        gb += bytes / GIGA;
    }
}
