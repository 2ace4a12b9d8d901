package org.tokenrate.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;
import org.tokenrate.run.IterationReport;

/**
 * Puts an iteration's figures into JMH's results, each as a secondary metric with its own unit, to
 * be averaged over iterations. (Event counters of {@code @AuxCounters} would be summed.) The
 * command line adds it to every run.
 */
public final class WorkloadProfiler implements InternalProfiler {
    // JMH makes profilers and benchmark states apart and lets neither see the other: a place that
    // both know is the only way from one to the other.
    private static final AtomicReference<IterationReport> LATEST = new AtomicReference<>();

    static void publish(IterationReport report) {
        LATEST.set(report);
    }

    @Override
    public String getDescription() {
        return "Request throughput: every figure of an iteration, for the CSV";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        LATEST.set(null);
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        IterationReport report = LATEST.getAndSet(null);
        if (report == null) return List.of();
        var results = new ArrayList<Result<?>>();
        for (IterationReport.Value v : report.values()) {
            results.add(new ScalarResult(v.label(), v.value(), v.unit(), AggregationPolicy.AVG));
        }
        return results;
    }
}
