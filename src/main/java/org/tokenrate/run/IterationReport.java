package org.tokenrate.run;

import static java.util.Map.Entry.comparingByValue;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.metrics.LatencySummary;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.report.Metric;
import org.tokenrate.report.TextLabel;
import org.tokenrate.workload.RequestRecord;

/**
 * What one iteration leaves in JMH's json.
 *
 * @param values a secondary metric each, text labels among them
 */
public record IterationReport(List<Value> values) {
    /** Enough to see what went wrong; the requests file has them all. */
    private static final int MOST_ERRORS = 5;

    /** A secondary metric: label, value and unit. */
    public record Value(String label, double value, String unit) {}

    static IterationReport of(
            int fork,
            int iteration,
            ThroughputMetrics m,
            List<RequestRecord> records,
            EngineInfo engine,
            EngineCounters before,
            EngineCounters after,
            Map<String, String> facts) {
        var b = new Builder();
        b.add(Metric.FORK, fork);
        b.add(Metric.ITERATION, iteration);
        b.add(Metric.PROMPTS, m.prompts());
        b.add(Metric.FAILED, m.failed());
        b.add(Metric.DURATION, m.durationSeconds());
        b.add(Metric.PROMPT_TOKENS, m.promptTokens());
        b.add(Metric.GENERATED_TOKENS, m.generatedTokens());
        b.add(Metric.RPS, m.rps());
        b.add(Metric.RPM, m.rpm());
        b.add(Metric.OUTPUT_RATE, m.outputTokensPerSecond());
        b.add(Metric.TOTAL_RATE, m.totalTokensPerSecond());
        b.addLatency("ttft", m.ttft());
        b.addLatency("itl", m.itl());
        b.addLatency("tpot", m.tpot());
        b.addLatency("e2e", m.e2e());
        // An engine without a KV pool of its own has none of these, which is not zero.
        boolean pool = engine.kvBlocks() > 0;
        b.add(Metric.PREEMPTIONS, pool ? after.preemptions() - before.preemptions() : Double.NaN);
        b.add(Metric.KV_BLOCKS_PEAK, pool ? after.kvBlocksPeak() : Double.NaN);
        b.add(Metric.KV_BLOCKS, pool ? engine.kvBlocks() : Double.NaN);
        b.add(Metric.KV_BLOCK_TOKENS, pool ? engine.kvBlockTokens() : Double.NaN);
        b.add(Metric.KV_BYTES, pool ? engine.kvBytes() : Double.NaN);
        b.add(Metric.WEIGHT_BYTES, engine.weightBytes() > 0 ? engine.weightBytes() : Double.NaN);
        facts.forEach(b::addFact);
        b.addErrors(records);
        return new IterationReport(List.copyOf(b.values));
    }

    private static final class Builder {
        private final List<Value> values = new ArrayList<>();

        void add(Metric metric, double value) {
            values.add(new Value(metric.name(), value, metric.unit()));
        }

        void addLatency(String name, LatencySummary s) {
            add(Metric.latency(name, "mean"), s.mean());
            add(Metric.latency(name, "min"), s.min());
            add(Metric.latency(name, "max"), s.max());
            add(Metric.latency(name, "p50"), s.p50());
            add(Metric.latency(name, "p75"), s.p75());
            add(Metric.latency(name, "p95"), s.p95());
            add(Metric.latency(name, "p99"), s.p99());
        }

        void addFact(String name, String text) {
            if (!text.isEmpty()) values.add(new Value(TextLabel.info(name, text), 1, "text"));
        }

        void addErrors(List<RequestRecord> records) {
            Map<String, Long> errors =
                    records.stream()
                            .filter(RequestRecord::failed)
                            .collect(groupingBy(RequestRecord::error, TreeMap::new, counting()));
            errors.entrySet().stream()
                    .sorted(Collections.reverseOrder(comparingByValue()))
                    .limit(MOST_ERRORS)
                    .forEach(
                            e ->
                                    values.add(
                                            new Value(
                                                    TextLabel.error(e.getKey()),
                                                    e.getValue(),
                                                    "requests")));
        }
    }
}
