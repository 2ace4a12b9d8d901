package org.tokenrate.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Memory gone through, counted from its shape and divided by JMH's own time: what JMH shows as
 * {@code gb} in ops/s is GB/s.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class ByteCounters {
    /** Bytes / 1e9 of what the benchmark says that it counts. */
    public double gb;

    void add(double bytes) {
        gb += bytes / 1e9;
    }
}
