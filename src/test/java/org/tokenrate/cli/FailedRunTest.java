package org.tokenrate.cli;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.report.JmhJson;

/** Real runs that do not go well. */
class FailedRunTest {
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

    @TempDir Path folder;

    @Test
    void failedRequestsAreNamedAndTheRunFailsAfterWritingItsFiles() throws Exception {
        Cli cli = run("-p engine=simulated:1ms:1ms:fail=1 -p numPrompts=6 -f 1 -wi 0 -i 1");
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertTrue(cli.err().startsWith("FAILED REQUESTS: 6 with all"), cli.err());
        assertTrue(cli.err().contains(" x simulated failure after "), cli.err());
        Path run = Cli.runFolder(folder);
        List<String> csv = Files.readAllLines(run.resolve("throughput.csv"));
        assertEquals(2, csv.size());
        assertEquals("6", csv.get(1).split(",")[10]);
        JsonNode json = new ObjectMapper().readTree(run.resolve("run.json").toFile());
        assertEquals("failed", json.get("status").asText());
        assertFalse(json.get("results").get(0).get("errors").isEmpty());
    }

    @Test
    void aCombinationThatCannotRunIsToldInASentenceAndFailsTheRun() throws Exception {
        Path dataset = Files.writeString(folder.resolve("empty.json"), "[]");
        String args = "RequestThroughput -p engine=simulated -p numPrompts=1 -f 1 -wi 0";
        Cli cli = Cli.run(folder, (args + " -p dataset=" + dataset).split(" "));
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertTrue(cli.out().contains("  FAILED: "), cli.out());
        assertFalse(cli.out().contains("\tat "), cli.out());
        assertTrue(
                Files.readString(Cli.runFolder(folder).resolve("failures.log")).contains("\tat "));
    }

    @Test
    void aBadValueStopsBeforeAnythingIsWritten() throws Exception {
        Cli cli = run("-p engine=simulated -p concurrency=1,0");
        assertEquals(2, cli.status());
        assertEquals(
                "ERROR: concurrency=0 must be from 1 to 100000, e.g. -p concurrency=16\n",
                cli.err());
        assertTrue(Files.notExists(folder.resolve("results")));
    }

    @Test
    void aResultsFolderThatCannotBeWrittenStopsBeforeAnythingRuns() throws Exception {
        Path file = Files.writeString(folder.resolve("taken"), "a file");
        Cli cli = run("-p engine=simulated --results " + file);
        assertEquals(2, cli.status());
        assertTrue(
                cli.err().startsWith("ERROR: cannot make a folder for results in " + file),
                cli.err());
        assertEquals("", cli.out());
    }

    @Test
    void aFullDiskStopsTheRunAtOnceAndSpoilsNothing() throws Exception {
        String args = "-p engine=simulated:1ms:10us -p concurrency=1,2,3,4,5,6 -f 1 -wi 0 -i 1";
        String few = " -p numPrompts=1 -p dataset=" + FewDialogues.write(folder);
        Cli cli = Cli.runWithSmallFiles(folder, 64, ("RequestThroughput " + args + few).split(" "));
        assertEquals(1, cli.status(), cli.out() + cli.err());
        Path run = Cli.runFolder(folder);
        String shown = folder.relativize(run).toString();
        assertTrue(cli.err().startsWith("ERROR: cannot write " + shown + "/jmh.json: "), cli.err());
        int kept = JmhJson.read(run.resolve("jmh.json")).size();
        assertTrue(kept >= 1 && kept < 6, kept + " kept");
        String left = "what %d finished combination(s) gave is in %s; --resume %s ";
        assertTrue(cli.err().contains(left.formatted(kept, shown, shown)), cli.err());
        assertEquals(7, Files.readAllLines(run.resolve("throughput.csv")).size());

        Cli resumed = Cli.run(folder, "--resume");
        assertEquals(0, resumed.status(), resumed.out() + resumed.err());
        assertEquals(6, JmhJson.read(run.resolve("jmh.json")).size());
    }

    @Test
    void requestsThatCannotBeWrittenStopTheRunToo() throws Exception {
        String args = "-p engine=simulated:1ms:10us -p concurrency=1,2 -f 1 -wi 0 -i 1";
        Cli cli =
                Cli.runWithSmallFiles(
                        folder,
                        16,
                        "RequestThroughput %s -p numPrompts=50 %s"
                                .formatted(args, Cli.WITHOUT_C2)
                                .split(" "));
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertFalse(cli.out().contains("[2/2]"), cli.out());
        assertTrue(cli.err().startsWith("ERROR: stopped: what is measured can no"), cli.err());
        List<String> csv = Files.readAllLines(Cli.runFolder(folder).resolve("throughput.csv"));
        assertTrue(csv.get(1).contains("requests-concurrency=1-1-1.jsonl: "), csv.get(1));
        assertTrue(csv.get(2).endsWith(",not run: the run failed before"), csv.get(2));
    }

    /** The first combination takes a moment, the second half an hour. */
    @Test
    void anInterruptedRunKeepsWhatItHasMeasured() throws Exception {
        Process process =
                Cli.start(
                        folder,
                        Cli.brief(
                                folder,
                                "-p engine=simulated:1ms:1ms,simulated:1800s -p numPrompts=6 -f 1 -wi 0 -i 1"));
        List<ProcessHandle> forks;
        try {
            awaitFirstCsv();
        } finally {
            forks = process.descendants().toList();
            process.destroy();
            process.waitFor();
            forks.forEach(ProcessHandle::destroyForcibly);
        }
        Path run = Cli.runFolder(folder);
        List<String> csv = Files.readAllLines(run.resolve("throughput.csv"));
        assertEquals(3, csv.size());
        assertTrue(csv.get(2).endsWith(",interrupted"), csv.get(2));
        assertEquals(1, JmhJson.read(run.resolve("jmh.json")).size());
        JsonNode json = new ObjectMapper().readTree(run.resolve("run.json").toFile());
        assertEquals("interrupted", json.get("status").asText());
        assertEquals(1, json.get("results").size());
        assertEquals(2, json.get("combinations").size());
    }

    private void awaitFirstCsv() throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (System.nanoTime() - start < PATIENCE_NANOS) {
            if (Files.isDirectory(folder.resolve("results/nogit"))
                    && Files.exists(Cli.runFolder(folder).resolve("throughput.csv"))) {
                return;
            }
            Thread.sleep(100);
        }
        throw new IOException("no throughput.csv: " + Files.readString(folder.resolve("stdout")));
    }

    private Cli run(String args) throws IOException, InterruptedException {
        return Cli.run(folder, Cli.brief(folder, args));
    }
}
