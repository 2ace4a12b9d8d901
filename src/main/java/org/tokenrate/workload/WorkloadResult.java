package org.tokenrate.workload;

import java.util.List;
import java.util.Optional;
import org.tokenrate.engine.StageTimes;

/**
 * What was seen of a whole workload.
 *
 * @param durationNanos from the first submit to the last finish
 * @param streamed whether tokens were heard of as they came
 * @param records one a request, in the workload's order
 * @param engine the engine's counters from time to time; empty for an engine without a KV pool
 * @param stages where the engine's time went in between; empty unless it took the times
 */
public record WorkloadResult(
        long durationNanos,
        boolean streamed,
        List<RequestRecord> records,
        List<EngineSample> engine,
        Optional<StageTimes> stages) {
    /** The result that these records alone tell, e.g. when read back from a file. */
    public static WorkloadResult of(boolean streamed, List<RequestRecord> records) {
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (RequestRecord r : records) {
            first = Math.min(first, r.submitNanos());
            last = Math.max(last, r.finishNanos());
        }
        return new WorkloadResult(
                records.isEmpty() ? 0 : last - first,
                streamed,
                records,
                List.of(),
                Optional.empty());
    }

    WorkloadResult withEngine(List<EngineSample> samples, Optional<StageTimes> times) {
        return new WorkloadResult(durationNanos, streamed, records, samples, times);
    }
}
