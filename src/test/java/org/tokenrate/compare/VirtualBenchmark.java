package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.tokenrate.engine.simulated.SimulatedTiming;
import org.tokenrate.engine.simulated.VirtualRun;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.report.JmhResult;
import org.tokenrate.workload.Workload;

/** What JMH would leave of a run of the simulated engine, on a clock that does not wait. */
final class VirtualBenchmark {
    private static final int REQUESTS = 32;
    private static final int CONCURRENCY = 8;
    private static final int LONGEST_ANSWER = 400;

    private final Workload workload;

    VirtualBenchmark() {
        var random = new SplittableRandom(1);
        var requests = new ArrayList<Workload.Request>();
        for (int i = 0; i < REQUESTS; i++) {
            // Heavy-tailed, as answers are.
            int answer = (int) Math.exp(3.2 + 0.9 * random.nextGaussian());
            requests.add(
                    new Workload.Request(
                            new int[20], Math.max(2, Math.min(LONGEST_ANSWER, answer))));
        }
        workload = new Workload(requests);
    }

    /** A row of {@code forks} forks of {@code iterations} iterations. */
    Row row(String engine, int forks, int iterations, SplittableRandom seeds) {
        SimulatedTiming timing = SimulatedTiming.parse(engine);
        var metrics = new LinkedHashMap<String, List<List<Double>>>();
        for (int f = 0; f < forks; f++) {
            var fork = new VirtualRun(timing, seeds.nextLong());
            for (List<List<Double>> all : metrics.values()) all.add(new ArrayList<>());
            for (int i = 0; i < iterations; i++) {
                var m = ThroughputMetrics.of(fork.next(workload, CONCURRENCY, 0));
                for (Figure figure : Figure.values()) {
                    List<List<Double>> all =
                            metrics.computeIfAbsent(figure.metric().name(), n -> new ArrayList<>());
                    if (all.size() <= f) all.add(new ArrayList<>());
                    all.get(f).add(value(figure, m));
                }
            }
        }
        return row(metrics);
    }

    /** The same row as if each iteration had been a fork of its own. */
    static Row iterationsAsForks(Row row) {
        var metrics = new LinkedHashMap<String, List<List<Double>>>();
        row.entries()
                .get(0)
                .result()
                .metrics()
                .forEach(
                        (name, forks) ->
                                metrics.put(
                                        name,
                                        forks.stream()
                                                .flatMap(List::stream)
                                                .map(List::of)
                                                .toList()));
        return row(metrics);
    }

    static Row row(Map<String, List<List<Double>>> metrics) {
        var result = new JmhResult("a.RequestThroughputBenchmark.requests", Map.of(), metrics);
        return new Row(Map.of(), List.of(new Run.Entry(result, Map.of())));
    }

    static List<Outcome> judge(Row base, Row candidate, int resamples) {
        return Judge.judge(List.of(new Matching.Pair("all", base, candidate)), resamples)
                .get(0)
                .outcomes();
    }

    private static double value(Figure figure, ThroughputMetrics m) {
        return switch (figure) {
            case OUTPUT_RATE -> m.outputTokensPerSecond();
            case RPM -> m.rpm();
            case TTFT_P50 -> m.ttft().p50();
            case TTFT_P99 -> m.ttft().p99();
            case ITL_P50 -> m.itl().p50();
            case ITL_P99 -> m.itl().p99();
            case E2E_P50 -> m.e2e().p50();
            case E2E_P99 -> m.e2e().p99();
        };
    }
}
