package org.tokenrate.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

/** Counts that JMH divides by its own time: tokens/s and requests/s by a second clock. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class WorkloadCounters {
    /** Tokens that requests which did not fail generated. */
    public long generatedTokens;

    /** Requests that did not fail. */
    public long requests;

    void add(WorkloadResult result) {
        for (RequestRecord r : result.records()) {
            if (r.failed()) continue;
            generatedTokens += r.generatedTokens();
            requests++;
        }
    }
}
