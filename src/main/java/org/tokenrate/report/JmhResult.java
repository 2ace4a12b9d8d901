package org.tokenrate.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One entry of JMH's json: one benchmark with one combination of parameters.
 *
 * @param benchmark class and method
 * @param params the {@code @Param} values by name, in the file's order
 * @param metrics secondary metrics by label: values by fork and iteration
 */
public record JmhResult(
        String benchmark, Map<String, String> params, Map<String, List<List<Double>>> metrics) {
    private static final String REQUEST_THROUGHPUT = ".RequestThroughputBenchmark.";
    private static final String SIMULATED = "simulated";

    /** As it names itself; see src/test/cpp/softgpu. */
    private static final String SOFTWARE_GPU = "software gpu";

    /** Whether this is the main job, of which the CSV files tell. */
    public boolean isRequestThroughput() {
        return benchmark.contains(REQUEST_THROUGHPUT);
    }

    /** Whether its GPU was played by a CPU, as in the tests: right figures but for the times. */
    public boolean isOfSoftwareGpu() {
        return info("device").toLowerCase(Locale.ROOT).contains(SOFTWARE_GPU);
    }

    /** Whether its times are no device's, but made up or of a GPU played by a CPU. */
    public boolean isNotReal() {
        return info("engine").toLowerCase(Locale.ROOT).startsWith(SIMULATED)
                || params.getOrDefault("engine", "").startsWith(SIMULATED)
                || isOfSoftwareGpu();
    }

    /** A metric's value over all iterations of all forks; NaN if no iteration has one. */
    public double value(Metric metric) {
        return Summary.over(metric.overIterations(), values(metric.name()));
    }

    /** Half the width of the 95 % interval of a metric's mean over iterations; NaN under two. */
    public double interval95(Metric metric) {
        return Summary.interval95(values(metric.name()));
    }

    /** Facts that the forks told, by name; several values joined if forks disagree. */
    public Map<String, String> infos() {
        var infos = new TreeMap<String, String>();
        for (String label : metrics.keySet()) {
            TextLabel.parse(label)
                    .filter(t -> !t.isError())
                    .ifPresent(t -> infos.merge(t.name(), t.text(), (a, b) -> a + "; " + b));
        }
        return infos;
    }

    /** One of the {@link #infos}, or empty. */
    public String info(String name) {
        return infos().getOrDefault(name, "");
    }

    /** Messages of failed requests, with how many requests failed with each. */
    public Map<String, Long> errors() {
        var errors = new TreeMap<String, Long>();
        for (String label : metrics.keySet()) {
            TextLabel.parse(label)
                    .filter(TextLabel::isError)
                    .ifPresent(
                            t ->
                                    errors.put(
                                            t.text(),
                                            (long)
                                                    Summary.over(
                                                            Metric.OverIterations.SUM,
                                                            values(label))));
        }
        return errors;
    }

    /** Measured iterations of all forks. */
    public int iterations() {
        return values(Metric.DURATION.name()).length;
    }

    public int forks() {
        return metrics.getOrDefault(Metric.DURATION.name(), List.of()).size();
    }

    /** The names of the files that hold the requests of its iterations. */
    public List<String> requestsFiles() {
        return split().stream().map(ThroughputCsv::requestsFile).toList();
    }

    /** This result as one result an iteration. */
    public List<JmhResult> split() {
        var all = new ArrayList<JmhResult>();
        for (int fork = 0; fork < forks(); fork++) {
            int count = metrics.get(Metric.DURATION.name()).get(fork).size();
            for (int i = 0; i < count; i++) all.add(iteration(fork, i, count));
        }
        return all;
    }

    private JmhResult iteration(int fork, int index, int count) {
        var one = new LinkedHashMap<String, List<List<Double>>>();
        metrics.forEach(
                (label, forks) -> {
                    // A label that only some iterations have (an error) does not say which.
                    if (fork < forks.size() && forks.get(fork).size() == count) {
                        one.put(label, List.of(List.of(forks.get(fork).get(index))));
                    }
                });
        return new JmhResult(benchmark, params, one);
    }

    private double[] values(String label) {
        return metrics.getOrDefault(label, List.of()).stream()
                .flatMap(List::stream)
                .mapToDouble(Double::doubleValue)
                .toArray();
    }
}
