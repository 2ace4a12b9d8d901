package org.tokenrate.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

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
        List<Measured> results) {
    public static final String FILE = "run.json";

    public static final String RUNNING = "running";

    /** A benchmark and its parameters. */
    public record Combination(String benchmark, Map<String, String> params) {}

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

    public RunRecord with(String newStatus, String end, List<Measured> measured) {
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
                measured);
    }

    /** Writes {@code run.json} into the folder, whole or not at all. */
    public Path write(Path folder) throws IOException {
        var mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        Path part = folder.resolve(FILE + ".part");
        Files.writeString(part, mapper.writeValueAsString(this) + "\n");
        return Files.move(part, folder.resolve(FILE), StandardCopyOption.REPLACE_EXISTING);
    }
}
