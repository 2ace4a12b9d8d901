package org.tokenrate.report;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Makes {@code throughput.csv} (a row a parameter combination) and {@code iterations.csv} (a row an
 * iteration, the same columns and a few more) from JMH's json and, for the rows that are missing,
 * the run.json beside it. The same files always give the same bytes. README.md defines every
 * column.
 */
public final class ThroughputCsv {
    public static final String THROUGHPUT = "throughput.csv";
    public static final String ITERATIONS = "iterations.csv";

    /** Why a row has no figures; empty where it has. */
    private static final String MISSING = "missing";

    private static final int LONGEST_HEADER = 1 << 16;

    private ThroughputCsv() {}

    /**
     * Writes both files into {@code folder}, each whole or not at all.
     *
     * @param jmhJson may be missing if a {@code run.json} is where it would be: nothing was
     *     measured
     * @return the files written; none if {@code jmhJson} holds other benchmarks only
     * @throws IOException if {@code jmhJson} is not JMH's json or lacks a metric, in one sentence
     */
    public static List<Path> write(Path jmhJson, Path folder) throws IOException {
        Path run = jmhJson.toAbsolutePath().getParent();
        List<JmhResult> all = List.of();
        if (Files.exists(jmhJson)) all = JmhJson.read(jmhJson);
        List<MissingRows.Missing> missing = MissingRows.of(run, all);
        if (all.isEmpty() && missing.isEmpty()) JmhJson.read(jmhJson);
        var results = new ArrayList<JmhResult>();
        for (JmhResult r : all) {
            if (!r.isRequestThroughput()) continue;
            requireMetrics(r, jmhJson);
            results.add(r);
        }
        if (results.isEmpty() && missing.isEmpty()) return List.of();
        return List.of(
                WholeFile.write(folder.resolve(THROUGHPUT), throughput(results, missing)),
                WholeFile.write(folder.resolve(ITERATIONS), iterations(results)));
    }

    /**
     * Columns that a CSV file has and this version would not write.
     *
     * @param file of either kind; none if it does not exist
     */
    public static List<String> unknownColumns(Path file) throws IOException {
        if (!Files.isRegularFile(file)) return List.of();
        String start;
        try (var in = Files.newInputStream(file)) {
            start = new String(in.readNBytes(LONGEST_HEADER), ISO_8859_1);
        }
        var columns = new ArrayList<>(List.of(start.lines().findFirst().orElse("").split(",")));
        columns.removeAll(names(COLUMNS));
        columns.removeAll(names(ITERATION_COLUMNS));
        columns.removeAll(List.of(MISSING, ""));
        return columns;
    }

    private static String throughput(List<JmhResult> results, List<MissingRows.Missing> missing) {
        var header = new ArrayList<>(names(COLUMNS));
        header.add(MISSING);
        var csv = new StringBuilder(CsvText.line(header));
        for (JmhResult r : results) csv.append(row(r, ""));
        for (MissingRows.Missing m : missing) csv.append(row(m.row(), m.reason()));
        return csv.toString();
    }

    private static String row(JmhResult result, String missing) {
        var fields = new ArrayList<>(fields(COLUMNS, result));
        fields.add(missing);
        return CsvText.line(fields);
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
        Metric.STAGES.forEach(m -> c.add(number(m)));
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

    static String requestsFile(JmhResult iteration) {
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
}
