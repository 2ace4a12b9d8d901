package org.tokenrate.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;
import org.tokenrate.engine.StageTimes;
import org.tokenrate.report.Metric;

/**
 * {@code -prof stages}: splits the engine's time among its stages, each a secondary metric in
 * seconds of an iteration; together they are the iteration's duration. An engine takes the times
 * only if it was opened while this profiler was on.
 */
public final class StagesProfiler implements InternalProfiler {
    // As with WorkloadProfiler: the only way from a profiler to a benchmark's state and back.
    private static final AtomicBoolean ON = new AtomicBoolean();
    private static final AtomicReference<Optional<StageTimes>> LATEST =
            new AtomicReference<>(Optional.empty());

    /** Whether this JVM's iterations run with it; true by the time the first trial is set up. */
    static boolean isOn() {
        return ON.get();
    }

    static void publish(Optional<StageTimes> times) {
        LATEST.set(times);
    }

    @Override
    public String getDescription() {
        return "-prof stages: where the engine's time goes (schedule, qkv, attention, mlp, ...)";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        ON.set(true);
        LATEST.set(Optional.empty());
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        var results = new ArrayList<Result<?>>();
        LATEST.getAndSet(Optional.empty())
                .map(Metric::stageValues)
                .ifPresent(
                        values ->
                                values.forEach(
                                        (metric, value) -> results.add(result(metric, value))));
        return List.copyOf(results);
    }

    private static ScalarResult result(Metric metric, double value) {
        return new ScalarResult(metric.name(), value, metric.unit(), AggregationPolicy.AVG);
    }
}
