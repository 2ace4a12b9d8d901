package org.tokenrate.report;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Makes {@code throughput.csv} (a row a parameter combination) and {@code iterations.csv} (a row an
 * iteration, the same columns and a few more) from JMH's json alone. The same json always gives the
 * same bytes. README.md defines every column.
 */
public final class ThroughputCsv {
    public static final String THROUGHPUT = "throughput.csv";
    public static final String ITERATIONS = "iterations.csv";

    private ThroughputCsv() {}

    /**
     * Writes both files into {@code folder}, each whole or not at all.
     *
     * @return the files written; none if {@code jmhJson} holds other benchmarks only
     * @throws IOException if {@code jmhJson} is not JMH's json or lacks a metric, in one sentence
     */
    public static List<Path> write(Path jmhJson, Path folder) throws IOException {
        var results = new ArrayList<JmhResult>();
        for (JmhResult r : JmhJson.read(jmhJson)) {
            if (!r.isRequestThroughput()) continue;
            requireMetrics(r, jmhJson);
            results.add(r);
        }
        if (results.isEmpty()) return List.of();
        return List.of(
                replace(folder.resolve(THROUGHPUT), throughput(results)),
                replace(folder.resolve(ITERATIONS), iterations(results)));
    }

    private static String throughput(List<JmhResult> results) {
        var csv = new StringBuilder(CsvText.line(names(COLUMNS)));
        for (JmhResult r : results) csv.append(CsvText.line(fields(COLUMNS, r)));
        return csv.toString();
    }

    private static String iterations(List<JmhResult> results) {
        var columns = new ArrayList<>(COLUMNS);
        columns.addAll(ITERATION_COLUMNS);
        var csv = new StringBuilder(CsvText.line(names(columns)));
        for (JmhResult r : results) {
            for (JmhResult one : r.split()) csv.append(CsvText.line(fields(columns, one)));
        }
        return csv.toString();
    }

    private record Column(String name, Function<JmhResult, String> value) {}

    private static final List<Column> COLUMNS = columns();
    private static final List<Column> ITERATION_COLUMNS =
            List.of(
                    number(Metric.FORK),
                    number(Metric.ITERATION),
                    new Column("requests_file", ThroughputCsv::requestsFile));

    private static List<Column> columns() {
        var c = new ArrayList<Column>();
        for (String name : List.of("engine", "device", "model", "model_format", "dtype")) {
            c.add(info(name));
        }
        c.add(param("tp", "tp"));
        c.add(param("concurrency", "concurrency"));
        c.add(param("num_prompts", "numPrompts"));
        c.add(param("seed", "seed"));
        c.add(new Column("iterations", r -> Integer.toString(r.iterations())));
        Metric.TOTALS.forEach(m -> c.add(number(m)));
        Metric.LATENCIES.forEach(m -> c.add(number(m)));
        c.add(interval("rpm_ci95", Metric.RPM));
        c.add(interval("output_tok_s_ci95", Metric.OUTPUT_RATE));

        c.add(new Column("forks", r -> Integer.toString(r.forks())));
        c.add(info("commit"));
        c.add(info("tokenrate"));
        c.add(param("dataset", "dataset"));
        c.add(param("sampling", "sampling"));
        c.add(param("top_k", "topK"));
        c.add(param("top_p", "topP"));
        c.add(param("temperature", "temperature"));
        c.add(param("stream_output", "streamOutput"));
        c.add(param("cache_count", "cacheCount"));
        Metric.ENGINE.forEach(m -> c.add(number(m)));
        c.add(info("model_sha256"));
        c.add(info("dataset_sha256"));
        c.add(param("cuda_graphs", "cudaGraphs"));
        return List.copyOf(c);
    }

    private static Column info(String name) {
        return new Column(name, r -> r.info(name));
    }

    private static Column param(String name, String param) {
        return new Column(name, r -> r.params().getOrDefault(param, ""));
    }

    private static Column number(Metric metric) {
        return new Column(metric.name(), r -> CsvText.number(r.value(metric)));
    }

    private static Column interval(String name, Metric metric) {
        return new Column(name, r -> CsvText.number(r.interval95(metric)));
    }

    private static String requestsFile(JmhResult iteration) {
        return RequestsFile.name(
                iteration.info("combination"),
                (int) iteration.value(Metric.FORK),
                (int) iteration.value(Metric.ITERATION));
    }

    private static List<String> names(List<Column> columns) {
        return columns.stream().map(Column::name).toList();
    }

    private static List<String> fields(List<Column> columns, JmhResult result) {
        return columns.stream().map(c -> c.value().apply(result)).toList();
    }

    private static void requireMetrics(JmhResult result, Path file) throws IOException {
        var missing = new ArrayList<Metric>(Metric.TOTALS);
        missing.addAll(Metric.LATENCIES);
        missing.removeIf(m -> result.metrics().containsKey(m.name()));
        if (missing.isEmpty()) return;
        throw new IOException(
                file
                        + ": "
                        + result.benchmark()
                        + " has no "
                        + missing.stream().limit(3).map(Metric::name).collect(joining(", "))
                        + (missing.size() > 3 ? " and " + (missing.size() - 3) + " more" : "")
                        + "; it was not run through benchmarks.jar, or by another version of it");
    }

    private static Path replace(Path file, String text) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(part, text);
        return Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
