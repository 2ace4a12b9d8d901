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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.report.JmhEntries;
import org.tokenrate.report.RequestsFile;

/** Real runs that are stopped and go on. */
class ResumedRunTest {
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);
    private static final String SLOW = "engine=simulated_1s_1ms~";

    @TempDir Path folder;

    /** It is killed in the second combination, whose first fork has measured one iteration. */
    @Test
    void aRunThatWasKilledEndsAsIfItHadNeverStopped() throws Exception {
        Process killed = start(FewDialogues.write(folder).toString());
        await(() -> has(SLOW, "-1-1.jsonl"));
        Path run = Cli.runFolder(folder);
        List<ProcessHandle> forks = killed.descendants().toList();
        killed.destroyForcibly().waitFor();
        await(() -> forks.stream().noneMatch(ProcessHandle::isAlive));
        assertEquals(List.of("", "not run yet"), missing(run));
        String first = JmhEntries.read(run.resolve("jmh.json")).get(0).text();
        byte[] requests = Files.readAllBytes(requests(run, "engine=simulated_1ms", "-2-2.jsonl"));

        Cli resumed = Cli.run(folder, "--resume");
        assertEquals(0, resumed.status(), resumed.out() + resumed.err());
        assertTrue(resumed.out().contains("[1/1] engine=simulated:1s:1ms"), resumed.out());
        assertEquals(List.of("", ""), missing(run));
        List<JmhEntries.Entry> entries = JmhEntries.read(run.resolve("jmh.json"));
        assertEquals(2, entries.size());
        assertEquals(first, entries.get(0).text());
        assertEquals(JmhEntries.text(entries), Files.readString(run.resolve("jmh.json")));
        assertArrayEquals(
                requests, Files.readAllBytes(requests(run, "engine=simulated_1ms", "-2-2.jsonl")));

        List<String> named =
                entries.stream().flatMap(e -> e.result().requestsFiles().stream()).toList();
        assertEquals(8, named.size());
        assertEquals(
                Stream.concat(
                                named.stream().flatMap(n -> Stream.of(n, RequestsFile.binned(n))),
                                Stream.of(
                                        "iterations.csv",
                                        "jmh.json",
                                        "run.json",
                                        "throughput.csv",
                                        "unfinished"))
                        .sorted()
                        .toList(),
                names(run));
        List<String> aside = names(run.resolve("unfinished/1"));
        assertTrue(aside.stream().anyMatch(n -> n.endsWith("-1-1.jsonl")), aside.toString());
        JsonNode record = new ObjectMapper().readTree(run.resolve("run.json").toFile());
        assertEquals("finished", record.get("status").asText());
        assertEquals(2, record.get("sittings").size());
        assertEquals("", record.get("sittings").get(0).get("finished").asText());

        Cli again = Cli.run(folder, "--resume", run.toString());
        assertEquals(2, again.status());
        assertEquals(
                "ERROR: "
                        + run
                        + " is of a run that has measured everything; there is nothing to"
                        + " resume\n",
                again.err());
    }

    @Test
    void aRunThatIsStillRunningIsLeftAloneAndASignalLeavesNoFork() throws Exception {
        Process running = start("builtin"); // so long that the first combination goes on
        try {
            await(() -> has("engine=simulated_1ms", "-1-1.jsonl"));
            Path run = Cli.runFolder(folder);
            Cli second = Cli.run(Files.createDirectory(folder.resolve("x")), "--resume", run + "");
            assertEquals(2, second.status());
            assertEquals("ERROR: " + run + " is of a run that is still running\n", second.err());
            Cli other = Cli.run(folder.resolve("x"), "--resume", "--results", folder + "/results");
            assertTrue(other.err().startsWith("ERROR: there is no unfinished run of"), other.err());

            List<ProcessHandle> forks = running.descendants().toList();
            running.destroy();
            running.waitFor();
            assertTrue(forks.stream().noneMatch(ProcessHandle::isAlive));
            assertEquals(List.of("interrupted", "interrupted"), missing(run));
            String said = Files.readString(folder.resolve("stderr"));
            assertTrue(said.contains("interrupted; what 0 finished combination(s) gave"), said);
            String out = Files.readString(folder.resolve("stdout"));
            assertFalse(out.contains("FAILED"), out);
        } finally {
            running.destroyForcibly();
        }
    }

    private Process start(String dataset) throws IOException {
        String args =
                "RequestThroughput -p engine=simulated:1ms:1ms,simulated:1s:1ms -p numPrompts=6 -p concurrency=6 -f 2 -wi 0 -i 2 -p dataset=";
        return Cli.start(folder, (args + dataset).split(" "));
    }

    private boolean has(String start, String end) {
        try {
            if (!Files.isDirectory(folder.resolve("results/nogit"))) return false;
            return names(Cli.runFolder(folder)).stream()
                    .anyMatch(n -> n.startsWith("requests-" + start) && n.endsWith(end));
        } catch (IOException e) {
            return false;
        }
    }

    private static Path requests(Path run, String start, String end) throws IOException {
        return run.resolve(
                names(run).stream()
                        .filter(n -> n.startsWith("requests-" + start) && n.endsWith(end))
                        .findFirst()
                        .orElseThrow());
    }

    private static List<String> missing(Path run) throws IOException {
        return Files.readAllLines(run.resolve("throughput.csv")).stream()
                .skip(1)
                .map(line -> line.substring(line.lastIndexOf(',') + 1))
                .toList();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    private void await(BooleanSupplier condition) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE_NANOS) {
                throw new IOException(Files.readString(folder.resolve("stdout")));
            }
            Thread.sleep(50);
        }
    }
}
