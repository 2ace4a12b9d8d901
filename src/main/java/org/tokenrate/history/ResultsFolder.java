package org.tokenrate.history;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.tokenrate.compare.Figure;
import org.tokenrate.compare.RowLabels;
import org.tokenrate.compare.Run;
import org.tokenrate.compare.Sample;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/**
 * Reads all runs of a folder of results, {@code COMMIT/START/jmh.json}. Files are read one a
 * processor at a time and reduced to a number a fork and figure.
 *
 * @param runs in the order of their folders' names
 * @param warnings what was passed over, a sentence a file
 */
record ResultsFolder(List<MeasuredRun> runs, List<String> warnings) {
    private static final String JMH_JSON = "jmh.json";

    private static final DateTimeFormatter START =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT);
    private static final int START_LENGTH = "20260101T000000Z".length();

    /** Equal wherever the same requests were answered. */
    private static final List<Metric> WORK =
            List.of(Metric.PROMPTS, Metric.PROMPT_TOKENS, Metric.GENERATED_TOKENS);

    /** A run, or why there is none. */
    private record Outcome(List<MeasuredRun> runs, List<String> warnings) {}

    /**
     * @throws IOException if there is no such folder, or no run in it
     */
    static ResultsFolder read(Path results, Set<Figure> figures) throws IOException {
        if (!Files.isDirectory(results)) {
            throw new IOException(
                    results + " is no folder; give the one that holds the results, --results DIR");
        }
        List<Path> files = files(results);
        if (files.isEmpty()) {
            throw new IOException(
                    results
                            + " holds no COMMIT/START/jmh.json; run a benchmark, or give another"
                            + " folder, --results DIR");
        }
        // Thousands of entries have few different parameters and settings.
        var shared = new ConcurrentHashMap<Map<String, String>, Map<String, String>>();
        UnaryOperator<Map<String, String>> once =
                m -> shared.computeIfAbsent(m, Collections::unmodifiableMap);
        List<Outcome> outcomes =
                files.stream().parallel().map(f -> read(results, f, figures, once)).toList();
        var runs = new ArrayList<MeasuredRun>();
        var warnings = new ArrayList<String>();
        for (Outcome o : outcomes) {
            runs.addAll(o.runs);
            warnings.addAll(o.warnings);
        }
        if (runs.isEmpty()) {
            throw new IOException(
                    "nothing in %s could be read, for example: %s"
                            .formatted(results, warnings.get(0)));
        }
        return new ResultsFolder(runs, List.copyOf(warnings));
    }

    private static List<Path> files(Path results) throws IOException {
        var files = new ArrayList<Path>();
        for (Path commit : folders(results)) {
            for (Path run : folders(commit)) {
                Path file = run.resolve(JMH_JSON);
                if (Files.isRegularFile(file)) files.add(file);
            }
        }
        return files;
    }

    private static List<Path> folders(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(Files::isDirectory).sorted().toList();
        }
    }

    private static Outcome read(
            Path results, Path file, Set<Figure> figures, UnaryOperator<Map<String, String>> once) {
        var warnings = new ArrayList<String>();
        try {
            var combinations = new ArrayList<MeasuredRun.Combination>();
            for (Run.Entry e : Run.read(file).entries()) {
                if (e.result().iterations() == 0) {
                    throw new IOException(file + " has a row without a measured iteration");
                }
                double failed = e.result().value(Metric.FAILED);
                if (failed > 0) {
                    warnings.add(
                            String.format(
                                    Locale.ROOT,
                                    "%s: %,d requests failed, so this is passed over: %s",
                                    file,
                                    (long) failed,
                                    label(e.result())));
                    continue;
                }
                if (e.result().isOfSoftwareGpu()) {
                    warnings.add(
                            "%s: the software GPU's times are a CPU's and say nothing of any GPU, so this is passed over: %s"
                                    .formatted(file, label(e.result())));
                    continue;
                }
                combinations.add(combination(e, figures, once));
            }
            String commit = results.relativize(file).getName(0).toString();
            var run = new MeasuredRun(commit, file, started(file), List.copyOf(combinations));
            return new Outcome(List.of(run), warnings);
        } catch (IOException | RuntimeException e) {
            // Anyone may have written the file: nothing in it may keep the others from being shown.
            String why = e instanceof IOException ? e.getMessage() : file + " is no result: " + e;
            warnings.add(why + "; passed over");
            return new Outcome(List.of(), warnings);
        }
    }

    private static String label(JmhResult result) {
        return RowLabels.label(result.params(), new TreeSet<>(result.params().keySet()));
    }

    private static MeasuredRun.Combination combination(
            Run.Entry entry, Set<Figure> figures, UnaryOperator<Map<String, String>> once) {
        JmhResult result = entry.result();
        var forks = new EnumMap<Figure, double[]>(Figure.class);
        for (Figure f : figures) {
            Sample sample = sample(result, f.metric());
            if (sample.isComparable()) forks.put(f, sample.forkMedians());
        }
        var setting = new TreeMap<>(entry.facts());
        // A library is part of the commit: what a newer one does is what history is to show.
        setting.keySet().removeIf(n -> n.startsWith("library ") || n.startsWith("version."));
        for (Metric m : WORK) {
            var values = new TreeSet<Double>();
            for (double[] fork : sample(result, m).forks()) for (double v : fork) values.add(v);
            if (!values.isEmpty()) setting.put(m.name(), text(values));
        }
        return new MeasuredRun.Combination(
                once.apply(new TreeMap<>(result.params())), once.apply(setting), forks);
    }

    private static Sample sample(JmhResult result, Metric metric) {
        return Sample.of(result.metrics().getOrDefault(metric.name(), List.of()));
    }

    private static String text(TreeSet<Double> values) {
        String least = String.format(Locale.ROOT, "%.0f", values.first());
        return values.size() == 1 ? least : "from " + least;
    }

    /** By the folder's name; a folder of another name has its file's time. */
    private static Instant started(Path file) throws IOException {
        String name = file.getParent().getFileName().toString();
        try {
            String start = name.substring(0, Math.min(name.length(), START_LENGTH));
            return LocalDateTime.parse(start, START).toInstant(ZoneOffset.UTC);
        } catch (DateTimeException e) {
            return Files.getLastModifiedTime(file).toInstant();
        }
    }
}
