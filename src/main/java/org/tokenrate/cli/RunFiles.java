package org.tokenrate.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.tokenrate.report.JmhEntries;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.report.RequestsFile;
import org.tokenrate.report.ThroughputCsv;
import org.tokenrate.report.WholeFile;
import org.tokenrate.run.RunLock;
import org.tokenrate.run.RunRecord;
import org.tokenrate.run.RunRecord.Combination;
import org.tokenrate.run.RunRecord.Missing;

/**
 * The files of a run, written anew after every combination, each whole or not at all: whatever
 * stops the run later, what was measured stays.
 */
final class RunFiles {
    static final String JMH = "jmh.json";

    /** Request files of combinations that came to no result, out of the way of those that did. */
    private static final String UNFINISHED = "unfinished";

    private static final String FAILURES = "failures.log";
    private static final List<Metric> MEMORY =
            List.of(Metric.KV_BLOCKS, Metric.KV_BLOCK_TOKENS, Metric.KV_BYTES, Metric.WEIGHT_BYTES);

    private static final String NOT_YET = "not run yet";
    private static final String NO_RESULT = "gave no result";

    private final Path folder;
    private final RunLock lock;
    private final int modes;
    private final List<JmhEntries.Entry> earlier;
    private final Map<Combination, String> reasons = new HashMap<>();
    private List<JmhEntries.Entry> entries;
    private RunRecord record;

    /**
     * @param earlier what earlier sittings measured
     * @param modes benchmark modes, each of which gives a combination a result of its own
     */
    RunFiles(Path folder, RunLock lock, RunRecord record, List<JmhEntries.Entry> earlier, int modes)
            throws IOException {
        this.modes = modes;
        this.folder = folder;
        this.lock = lock;
        this.record = record;
        this.earlier = List.copyOf(earlier);
        entries = this.earlier;
        describe(record.status(), "");
        setAside(record.sittings().size() - 1);
        this.record.write(folder);
    }

    Path folder() {
        return folder;
    }

    /**
     * Everything measured so far.
     *
     * @param ofThisSitting what JMH gave since the run was started or resumed
     */
    synchronized List<JmhResult> save(Collection<RunResult> ofThisSitting) throws IOException {
        if (running() && !ofThisSitting.isEmpty()) {
            var all = new ArrayList<>(earlier);
            all.addAll(JmhEntries.parse(json(ofThisSitting)));
            all.sort(Comparator.comparingInt(e -> record.combinations().indexOf(key(e.result()))));
            List<JmhEntries.Entry> before = entries;
            entries = List.copyOf(all);
            try {
                write(RunRecord.RUNNING, "");
            } catch (IOException e) {
                // What is not on disk is not measured.
                entries = before;
                describe(RunRecord.RUNNING, "");
                throw e;
            }
        }
        return entries.stream().map(JmhEntries.Entry::result).toList();
    }

    /** Marks a combination that will have no result. */
    synchronized void missing(Combination combination, String reason) throws IOException {
        if (!running()) return;
        reasons.put(combination, reason);
        setAside(record.sittings().size());
        write(RunRecord.RUNNING, "");
    }

    /** Marks the run as ended; what was not reached gets this reason. */
    synchronized void end(String status, String reason) throws IOException {
        if (!running()) return;
        for (Combination c : notMeasured()) reasons.putIfAbsent(c, reason);
        String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        boolean complete = notMeasured().isEmpty();
        try {
            write(status, now);
        } finally {
            lock.release(complete);
        }
    }

    /** Marks a run that failed as a whole; one that never began leaves nothing. */
    synchronized void fail(String reason) throws IOException {
        boolean began =
                record.sittings().size() > 1
                        || !entries.isEmpty()
                        || !reasons.isEmpty()
                        || listed().size() > 2;
        if (began) {
            end(RunRecord.FAILED, reason);
            return;
        }
        record = record.with(RunRecord.FAILED, "", List.of(), List.of());
        Files.delete(folder.resolve(RunRecord.FILE));
        lock.release(true);
        Files.delete(folder);
    }

    synchronized boolean running() {
        return record.status().equals(RunRecord.RUNNING);
    }

    synchronized int measured() {
        return record.results().size();
    }

    synchronized List<Missing> missing() {
        return record.missing();
    }

    /** Keeps a failure's whole text, of which the console shows the message only. */
    synchronized void logFailure(String text) throws IOException {
        Files.writeString(
                folder.resolve(FAILURES),
                text + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** One line a file, request files as one. */
    List<String> list() throws IOException {
        var lines = new ArrayList<String>();
        var ofRequests = new TreeMap<String, Integer>();
        for (Path file : listed()) {
            String name = file.getFileName().toString();
            String kind = RequestsFile.KINDS.stream().filter(name::endsWith).findFirst().orElse("");
            if (RequestsFile.isOne(name)) ofRequests.merge(kind, 1, Integer::sum);
            else if (!name.equals(RunLock.FILE)) lines.add(file.toString());
        }
        ofRequests.forEach(
                (kind, count) ->
                        lines.add(folder.resolve("requests-*" + kind) + " (" + count + " files)"));
        return lines;
    }

    static Combination key(JmhResult r) {
        return new Combination(r.benchmark(), r.params());
    }

    private void write(String status, String end) throws IOException {
        describe(status, end);
        Path json = folder.resolve(JMH);
        if (!entries.isEmpty()) WholeFile.write(json, JmhEntries.text(entries));
        record.write(folder);
        if (record.combinations().stream().anyMatch(c -> Plan.isRequestThroughput(c.benchmark()))) {
            ThroughputCsv.write(json, folder);
        }
    }

    private void describe(String status, String end) {
        String otherwise = status.equals(RunRecord.RUNNING) ? NOT_YET : NO_RESULT;
        record =
                record.with(
                        status,
                        end,
                        entries.stream().map(e -> measured(e.result())).toList(),
                        notMeasured().stream()
                                .map(c -> record(c, reasons.getOrDefault(c, otherwise)))
                                .toList());
    }

    private List<Combination> notMeasured() {
        Map<Combination, Integer> have = new HashMap<>();
        for (JmhEntries.Entry e : entries) have.merge(key(e.result()), 1, Integer::sum);
        return record.combinations().stream().filter(c -> have.getOrDefault(c, 0) < modes).toList();
    }

    private static Missing record(Combination c, String reason) {
        return new Missing(c.benchmark(), c.params(), reason);
    }

    /**
     * Moves the request files that no figure counts, so that a later fork of the combination begins
     * with the first number again; and clears away what was cut short.
     *
     * @param sitting that left them, from 1
     */
    private void setAside(int sitting) throws IOException {
        Set<String> counted = new HashSet<>();
        for (JmhEntries.Entry e : entries) counted.addAll(e.result().requestsFiles());
        Path aside = folder.resolve(UNFINISHED).resolve(String.valueOf(sitting));
        for (Path file : listed()) {
            String name = file.getFileName().toString();
            if (WholeFile.isPart(file)) {
                Files.delete(file);
            } else if (RequestsFile.isOne(name)
                    && !counted.contains(RequestsFile.requestsOf(name))) {
                Files.createDirectories(aside);
                Files.move(file, aside.resolve(name));
            }
        }
    }

    private List<Path> listed() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static String json(Collection<RunResult> results) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, false, UTF_8)) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, out)
                    .writeOut(WithoutPaths.of(results));
        }
        return bytes.toString(UTF_8);
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
