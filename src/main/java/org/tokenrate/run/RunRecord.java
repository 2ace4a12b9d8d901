package org.tokenrate.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.tokenrate.report.WholeFile;

/**
 * What {@code run.json} holds: where, when, with what and on what a run was made.
 *
 * @param tokenrate version of this program
 * @param status running, finished, failed or interrupted
 * @param commit short hash, or nogit
 * @param dirty whether the work tree differed from the commit
 * @param started UTC, ISO 8601
 * @param finished UTC; empty while it runs
 * @param arguments as the user gave them
 * @param jvm name, version and vendor of the Java that ran the forks
 * @param libraries versions of the libraries that the figures depend on, by name
 * @param machine where
 * @param combinations parameter combinations asked for
 * @param results what was measured so far
 * @param missing combinations asked for that were not measured (so far), and why
 * @param program SHA-256 of this program, see {@link Program}
 * @param sittings when it ran; more than one if it was resumed
 * @param interleaving of a run that is one turn of {@code compare --run}: which; else empty
 */
public record RunRecord(
        String tokenrate,
        String status,
        String commit,
        boolean dirty,
        String started,
        String finished,
        List<String> arguments,
        Map<String, String> jvm,
        Map<String, String> libraries,
        Machine machine,
        List<Combination> combinations,
        List<Measured> results,
        List<Missing> missing,
        String program,
        List<Sitting> sittings,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> interleaving) {
    public static final String FILE = "run.json";

    public static final String RUNNING = "running";
    public static final String FINISHED = "finished";
    public static final String FAILED = "failed";
    public static final String INTERRUPTED = "interrupted";

    /** A run of ten thousand combinations has a fifth of it. */
    private static final long LARGEST_BYTES = 64L << 20;

    /** What older versions did not write is empty. */
    public RunRecord {
        tokenrate = text(tokenrate);
        status = text(status);
        commit = text(commit);
        started = text(started);
        finished = text(finished);
        program = text(program);
        arguments = list(arguments);
        combinations = list(combinations);
        results = list(results);
        missing = list(missing);
        sittings = list(sittings);
        jvm = map(jvm);
        libraries = map(libraries);
        interleaving = map(interleaving);
        machine = machine == null ? new Machine("", "", "", 0, 0) : machine;
    }

    /** A benchmark and its parameters. */
    public record Combination(String benchmark, Map<String, String> params) {
        public Combination {
            benchmark = text(benchmark);
            params = map(params);
        }
    }

    /**
     * A combination that was measured.
     *
     * @param facts what its forks told: engine, device, dtype, model and dataset with their
     *     SHA-256, library versions
     * @param memory KV blocks and bytes, by name
     * @param failed requests that failed
     * @param errors why, with how many requests each
     */
    public record Measured(
            String benchmark,
            Map<String, String> params,
            Map<String, String> facts,
            Map<String, Long> memory,
            long failed,
            Map<String, Long> errors) {}

    /** A combination that was not measured. */
    public record Missing(String benchmark, Map<String, String> params, String reason) {}

    /**
     * One time that the run ran, in UTC.
     *
     * @param finished empty while it runs, or if it could not even say so
     */
    public record Sitting(String started, String finished) {}

    public RunRecord with(
            String newStatus, String end, List<Measured> measured, List<Missing> notMeasured) {
        var times = new ArrayList<>(sittings);
        if (!times.isEmpty()) {
            Sitting last = times.remove(times.size() - 1);
            times.add(new Sitting(last.started(), end));
        }
        return copy(newStatus, end, measured, notMeasured, times);
    }

    /** The same run, running again. */
    public RunRecord resumed(String start) {
        var times = new ArrayList<>(sittings);
        times.add(new Sitting(start, ""));
        return copy(RUNNING, "", results, missing, times);
    }

    private RunRecord copy(
            String newStatus,
            String end,
            List<Measured> measured,
            List<Missing> notMeasured,
            List<Sitting> times) {
        return new RunRecord(
                tokenrate,
                newStatus,
                commit,
                dirty,
                started,
                end,
                arguments,
                jvm,
                libraries,
                machine,
                combinations,
                measured,
                notMeasured,
                program,
                times,
                interleaving);
    }

    /**
     * Reads a run's {@code run.json}.
     *
     * @throws IOException if there is none or it is not one, in one sentence
     */
    public static RunRecord read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new IOException(folder + " is no run's folder: it has no " + FILE);
        }
        if (Files.size(file) > LARGEST_BYTES) {
            throw new IOException(
                    "%s has %,d MiB, over the limit of %d MiB"
                            .formatted(file, Files.size(file) >> 20, LARGEST_BYTES >> 20));
        }
        try {
            RunRecord record =
                    new ObjectMapper()
                            // A newer version's.
                            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                            .readValue(file.toFile(), RunRecord.class);
            if (record != null) return record;
            throw new IOException(file + " is not a run's record: it holds null");
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            String place = at == null ? "" : " in line " + at.getLineNr();
            throw new IOException(file + " is not a run's record: it is broken" + place, e);
        }
    }

    /** Writes {@code run.json} into the folder, whole or not at all. */
    public Path write(Path folder) throws IOException {
        var mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        return WholeFile.write(folder.resolve(FILE), mapper.writeValueAsString(this) + "\n");
    }

    private static String text(String value) {
        return value == null ? "" : value;
    }

    /** Without what a JSON list may hold and a list of ours may not. */
    private static <T> List<T> list(List<T> value) {
        return value == null ? List.of() : value.stream().filter(Objects::nonNull).toList();
    }

    private static <V> Map<String, V> map(Map<String, V> value) {
        return value == null ? Map.of() : value;
    }
}
