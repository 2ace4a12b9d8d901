package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One real run, forks and all, on the simulated engine; then what it left is looked at. */
class RunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir static Path folder;
    private static Cli cli;
    private static Path run;

    @BeforeAll
    static void runOnce() throws Exception {
        cli =
                Cli.run(
                        folder,
                        ("RequestThroughput -p engine=simulated:5ms:1ms -p concurrency=1,4 -p numPrompts=12 -f 1 -wi 1 -i 2 "
                                        + Cli.WITHOUT_C2)
                                .split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        run = Cli.runFolder(folder);
    }

    @Test
    void itLeavesTheseFilesAndNoOthers() throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            assertEquals(
                    List.of(
                            "iterations.csv",
                            "jmh.json",
                            "requests-concurrency=1-1-1.binned.json",
                            "requests-concurrency=1-1-1.jsonl",
                            "requests-concurrency=1-1-2.binned.json",
                            "requests-concurrency=1-1-2.jsonl",
                            "requests-concurrency=4-1-1.binned.json",
                            "requests-concurrency=4-1-1.jsonl",
                            "requests-concurrency=4-1-2.binned.json",
                            "requests-concurrency=4-1-2.jsonl",
                            "run.json",
                            "throughput.csv"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void theConsoleShowsProgressATableAndTheFiles() {
        assertTrue(cli.out().contains("[2/2] concurrency=4"), cli.out());
        assertTrue(cli.out().contains("  warm-up   1/1"), cli.out());
        assertTrue(cli.out().contains("  iteration 2/2"), cli.out());
        assertTrue(cli.out().contains("concurrency  out tok/s"), cli.out());
        assertTrue(cli.out().contains("throughput.csv"), cli.out());
        assertEquals("", cli.err());
    }

    /** Sums, rates and percentiles by loops over the json, apart from the code under test. */
    @Test
    void aRowOfTheCsvFollowsFromTheRequestFilesAlone() throws IOException {
        var first = Recomputed.of(run.resolve("requests-concurrency=4-1-1.jsonl"));
        var second = Recomputed.of(run.resolve("requests-concurrency=4-1-2.jsonl"));
        Map<String, String> row = rows("throughput.csv").get(1);
        assertEquals("4", row.get("concurrency"));
        assertEquals("12", row.get("num_prompts"));
        assertEquals(String.valueOf((long) first.get("prompt_tokens")), row.get("prompt_tokens"));
        assertEquals(
                String.valueOf((long) first.get("generated_tokens")), row.get("generated_tokens"));
        for (String column : first.values().keySet()) {
            double expected = (first.get(column) + second.get(column)) / 2;
            if (column.endsWith("_min_s")) {
                expected = Math.min(first.get(column), second.get(column));
            } else if (column.endsWith("_max_s")) {
                expected = Math.max(first.get(column), second.get(column));
            }
            assertEquals(
                    expected, Double.parseDouble(row.get(column)), 1e-7 * expected + 1e-12, column);
        }
    }

    @Test
    void csvMakesTheSameBytesAgainFromJmhJsonAlone(@TempDir Path elsewhere) throws Exception {
        Files.copy(run.resolve("jmh.json"), elsewhere.resolve("jmh.json"));
        Cli csv = Cli.run(elsewhere, "csv", "jmh.json", "-o", "out");
        assertEquals(0, csv.status(), csv.err());
        for (String file : List.of("throughput.csv", "iterations.csv")) {
            assertArrayEquals(
                    Files.readAllBytes(run.resolve(file)),
                    Files.readAllBytes(elsewhere.resolve("out").resolve(file)),
                    file);
        }
    }

    @Test
    void aResultToPublishNamesNoPathOfTheMachine() throws IOException {
        String json = Files.readString(run.resolve("jmh.json"));
        assertTrue(json.contains("\"jvm\" : \"java"), json);
        for (String file : List.of("jmh.json", "throughput.csv", "iterations.csv")) {
            String text = Files.readString(run.resolve(file));
            assertFalse(text.contains(run.toRealPath().getParent().toString()), file);
            assertFalse(text.contains(System.getProperty("java.home")), file);
            assertFalse(text.contains("-Dtokenrate."), file);
        }
    }

    @Test
    void theRequestFilesAreTheOnesThatTheIterationsName() throws IOException {
        for (Map<String, String> row : rows("iterations.csv")) {
            Path file = run.resolve(row.get("requests_file"));
            assertEquals(
                    Recomputed.of(file).get("rpm"),
                    Double.parseDouble(row.get("rpm")),
                    1e-4,
                    file.toString());
        }
    }

    @Test
    void runJsonSaysOnWhatItRan() throws IOException {
        JsonNode json = JSON.readTree(run.resolve("run.json").toFile());
        assertEquals("finished", json.get("status").asText());
        assertEquals("nogit", json.get("commit").asText());
        assertEquals(2, json.get("combinations").size());
        JsonNode facts = json.get("results").get(0).get("facts");
        assertEquals("simulated:5ms:1ms", facts.get("engine").asText());
        assertTrue(facts.get("dataset_sha256").asText().matches("[0-9a-f]{64}"));
        assertTrue(json.get("machine").get("cores").asInt() >= 1);
        assertTrue(json.get("machine").get("memoryBytes").asLong() > 1 << 20);
    }

    private static List<Map<String, String>> rows(String file) throws IOException {
        List<String> lines = Files.readAllLines(run.resolve(file));
        String[] header = lines.get(0).split(",", -1);
        var rows = new ArrayList<Map<String, String>>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split(",", -1);
            var row = new LinkedHashMap<String, String>();
            for (int i = 0; i < header.length; i++) row.put(header[i], fields[i]);
            rows.add(row);
        }
        return rows;
    }
}
