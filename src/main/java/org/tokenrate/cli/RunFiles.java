package org.tokenrate.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.tokenrate.report.JmhJson;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.report.RequestsFile;
import org.tokenrate.report.ThroughputCsv;
import org.tokenrate.run.RunRecord;

/**
 * The files of a run, written anew after every combination, each whole or not at all: whatever
 * stops the run later, what was measured stays.
 */
final class RunFiles {
    private static final String JMH = "jmh.json";
    private static final String FAILURES = "failures.log";
    private static final List<Metric> MEMORY =
            List.of(Metric.KV_BLOCKS, Metric.KV_BLOCK_TOKENS, Metric.KV_BYTES, Metric.WEIGHT_BYTES);

    private final Path folder;
    private RunRecord record;

    RunFiles(Path folder, RunRecord record) throws IOException {
        this.folder = folder;
        this.record = record;
        record.write(folder);
    }

    Path folder() {
        return folder;
    }

    /** Everything measured so far. */
    synchronized List<JmhResult> save(Collection<RunResult> results) throws IOException {
        if (results.isEmpty()) return List.of();
        Path part = folder.resolve(JMH + ".part");
        try (var out = new PrintStream(part.toFile(), UTF_8)) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results);
            if (out.checkError()) throw new IOException("cannot write " + part + "; disk full?");
        }
        Path json = Files.move(part, folder.resolve(JMH), REPLACE_EXISTING);
        List<JmhResult> read = JmhJson.read(json);
        record = record.with(record.status(), "", read.stream().map(RunFiles::measured).toList());
        record.write(folder);
        ThroughputCsv.write(json, folder);
        return read;
    }

    /** Marks the run as ended. */
    synchronized void end(String status) throws IOException {
        String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        record = record.with(status, now, record.results());
        record.write(folder);
    }

    synchronized boolean running() {
        return record.status().equals(RunRecord.RUNNING);
    }

    synchronized int measured() {
        return record.results().size();
    }

    /** Keeps a failure's whole text, of which the console shows the message only. */
    synchronized void logFailure(String text) throws IOException {
        Files.writeString(
                folder.resolve(FAILURES),
                text + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** Marks a run that failed as a whole; one that never began leaves nothing. */
    synchronized void fail() throws IOException {
        end("failed");
        if (listed().size() > 1) return;
        Files.delete(folder.resolve(RunRecord.FILE));
        Files.delete(folder);
    }

    /** One line a file, request files as one. */
    List<String> list() throws IOException {
        var lines = new ArrayList<String>();
        var ofRequests = new TreeMap<String, Integer>();
        for (Path file : listed()) {
            String name = file.getFileName().toString();
            String kind = RequestsFile.KINDS.stream().filter(name::endsWith).findFirst().orElse("");
            if (RequestsFile.isOne(name)) ofRequests.merge(kind, 1, Integer::sum);
            else lines.add(file.toString());
        }
        ofRequests.forEach(
                (kind, count) ->
                        lines.add(folder.resolve("requests-*" + kind) + " (" + count + " files)"));
        return lines;
    }

    private List<Path> listed() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static RunRecord.Measured measured(JmhResult r) {
        var memory = new LinkedHashMap<String, Long>();
        for (Metric m : MEMORY) {
            if (!Double.isNaN(r.value(m))) memory.put(m.name(), (long) r.value(m));
        }
        return new RunRecord.Measured(
                r.benchmark(),
                r.params(),
                r.infos(),
                memory,
                (long) r.value(Metric.FAILED),
                r.errors());
    }
}
