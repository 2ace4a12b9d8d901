package org.tokenrate.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tokenrate.engine.StageTimes;
import org.tokenrate.workload.EngineSample;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

/** Several workloads of one iteration as one: the next starts where the last one ended. */
final class Pooled {
    private Pooled() {}

    static WorkloadResult of(List<WorkloadResult> workloads) {
        if (workloads.size() == 1) return workloads.get(0);
        var records = new ArrayList<RequestRecord>();
        var engine = new ArrayList<EngineSample>();
        long offset = 0;
        for (WorkloadResult w : workloads) {
            long first = w.records().stream().mapToLong(RequestRecord::submitNanos).min().orElse(0);
            for (RequestRecord r : w.records()) {
                records.add(shifted(r, records.size(), offset - first));
            }
            for (EngineSample s : w.engine()) {
                engine.add(new EngineSample(s.nanos() + offset - first, s.counters()));
            }
            offset += w.durationNanos();
        }
        return new WorkloadResult(
                offset,
                workloads.get(0).streamed(),
                List.copyOf(records),
                List.copyOf(engine),
                stages(workloads));
    }

    private static Optional<StageTimes> stages(List<WorkloadResult> workloads) {
        return workloads.stream().flatMap(w -> w.stages().stream()).reduce(StageTimes::plus);
    }

    private static RequestRecord shifted(RequestRecord r, int index, long nanos) {
        long[] steps = r.stepNanos().clone();
        for (int i = 0; i < steps.length; i++) steps[i] += nanos;
        return new RequestRecord(
                index,
                r.promptTokens(),
                r.requestedTokens(),
                r.generatedTokens(),
                r.submitNanos() + nanos,
                r.firstTokenNanos() < 0 ? -1 : r.firstTokenNanos() + nanos,
                r.finishNanos() + nanos,
                steps,
                r.stepTokens(),
                r.finishReason(),
                r.error());
    }
}
