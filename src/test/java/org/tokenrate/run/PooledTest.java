package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

class PooledTest {
    @Test
    void theNextWorkloadStartsWhereTheLastOneEnded() {
        WorkloadResult pooled = Pooled.of(List.of(oneRequest(1000, 5000), oneRequest(500, 2500)));
        assertEquals(6000, pooled.durationNanos());
        RequestRecord second = pooled.records().get(1);
        assertEquals(1, second.index());
        assertEquals(4000, second.submitNanos());
        assertEquals(6000, second.finishNanos());
    }

    @Test
    void latenciesStayAsTheyWere() {
        ThroughputMetrics m =
                ThroughputMetrics.of(
                        Pooled.of(List.of(oneRequest(1000, 5000), oneRequest(500, 2500))));
        assertEquals(4000e-9, m.e2e().max(), 1e-15);
        assertEquals(2000e-9, m.e2e().min(), 1e-15);
        assertEquals(1e-9, m.ttft().max(), 1e-15);
    }

    private static WorkloadResult oneRequest(long submit, long finish) {
        var record =
                new RequestRecord(
                        0,
                        3,
                        2,
                        2,
                        submit,
                        submit + 1,
                        finish,
                        new long[] {submit + 1, finish},
                        new int[] {1, 1},
                        "length",
                        "");
        return WorkloadResult.of(true, List.of(record));
    }
}
