package org.tokenrate.metrics;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.tokenrate.workload.RequestRecord;

/** The latencies of one request, in nanoseconds, where it has them; {@link ThroughputMetrics}. */
final class Latencies {
    private Latencies() {}

    static OptionalLong ttft(RequestRecord r) {
        return r.firstTokenNanos() < 0
                ? OptionalLong.empty()
                : OptionalLong.of(r.firstTokenNanos() - r.submitNanos());
    }

    static OptionalDouble tpot(RequestRecord r) {
        long[] steps = r.stepNanos();
        if (steps.length < 2) return OptionalDouble.empty();
        double time = steps[steps.length - 1] - steps[0];
        return OptionalDouble.of(time / (r.generatedTokens() - r.stepTokens()[0]));
    }

    static long e2e(RequestRecord r) {
        return r.finishNanos() - r.submitNanos();
    }
}
