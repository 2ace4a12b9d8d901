package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.report.JmhJson;

/** One real sweep in which a fork ends in each way that a fork can end. */
class CrashedForkTest {
    @TempDir static Path folder;
    private static Cli cli;
    private static Path run;

    @BeforeAll
    static void runOnce() throws Exception {
        cli =
                Cli.run(
                        folder,
                        "RequestThroughput",
                        "-p",
                        "engine=simulated:1ms:100us",
                        "-p",
                        "concurrency=1,2,3,4,5,6",
                        "-p",
                        "numPrompts=6",
                        "-f",
                        "1",
                        "-wi",
                        "0",
                        "-i",
                        "2",
                        "-p",
                        "dataset=" + FewDialogues.write(folder),
                        "-prof",
                        CrashingProfiler.class.getName(),
                        "-jvmArgsAppend",
                        "-Xmx256m -XX:+CrashOnOutOfMemoryError -XX:-CreateCoredumpOnCrash -XX:TieredStopAtLevel=1");
        run = Cli.runFolder(folder);
    }

    @Test
    void theSweepGoesOnAndFails() throws IOException {
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertTrue(cli.out().contains("[6/6] concurrency=6"), cli.out());
        assertEquals("FAILED: no result of 4 parameter combination(s), see above\n", cli.err());
        assertEquals(
                List.of("1", "6"),
                JmhJson.read(run.resolve("jmh.json")).stream()
                        .map(r -> r.params().get("concurrency"))
                        .toList());
    }

    @Test
    void theCsvSaysWhichRowsAreMissingAndWhyAndGivesThemNoFigure() throws IOException {
        List<String[]> rows =
                Files.readAllLines(run.resolve("throughput.csv")).stream()
                        .skip(1)
                        .map(line -> line.split(",", -1))
                        .toList();
        assertEquals(List.of("1", "6", "2", "3", "4", "5"), rows.stream().map(r -> r[6]).toList());
        assertEquals(
                List.of(
                        "",
                        "",
                        "a fork ended before its last iteration",
                        "the fork's JVM was told to exit early",
                        "the fork's JVM ended with status 137 (signal 9)",
                        "the fork's JVM ended with status 1"),
                rows.stream().map(r -> r[r.length - 1]).toList());
        for (String[] row : rows.subList(2, 6)) {
            assertEquals("0", row[9]);
            for (int figure = 10; figure < 48; figure++) assertEquals("", row[figure]);
        }
    }

    @Test
    void requestsThatNoFigureCountsAreOutOfTheWay() throws IOException {
        assertEquals(
                List.of(
                        "requests-concurrency=1-1-1.binned.json",
                        "requests-concurrency=1-1-1.jsonl",
                        "requests-concurrency=1-1-2.binned.json",
                        "requests-concurrency=1-1-2.jsonl",
                        "requests-concurrency=6-1-1.binned.json",
                        "requests-concurrency=6-1-1.jsonl",
                        "requests-concurrency=6-1-2.binned.json",
                        "requests-concurrency=6-1-2.jsonl"),
                requests(run));
        assertEquals(
                List.of(
                        "requests-concurrency=2-1-1.binned.json",
                        "requests-concurrency=2-1-1.jsonl",
                        "requests-concurrency=3-1-1.binned.json",
                        "requests-concurrency=3-1-1.jsonl",
                        "requests-concurrency=4-1-1.binned.json",
                        "requests-concurrency=4-1-1.jsonl",
                        "requests-concurrency=5-1-1.binned.json",
                        "requests-concurrency=5-1-1.jsonl"),
                requests(run.resolve("unfinished/1")));
    }

    @Test
    void csvMakesTheSameBytesAgainFromTheFolder() throws Exception {
        Cli csv = Cli.run(folder, "csv", run.toString(), "-o", "again");
        assertEquals(0, csv.status(), csv.err());
        for (String file : List.of("throughput.csv", "iterations.csv")) {
            assertEquals(
                    Files.readString(run.resolve(file)),
                    Files.readString(folder.resolve("again").resolve(file)));
        }
    }

    @Test
    void argumentsThatRunCodeAreNotTakenFromAFileUnseen() throws Exception {
        Cli resumed = Cli.run(folder, "--resume", run.toString());
        assertEquals(2, resumed.status());
        assertTrue(
                resumed.err()
                        .startsWith(
                                "ERROR: the run's -jvmArgsAppend -Xmx256m"
                                        + " -XX:+CrashOnOutOfMemoryError"),
                resumed.err());
        assertFalse(resumed.out().contains("results go to"), resumed.out());
    }

    private static List<String> requests(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.startsWith("requests-"))
                    .sorted()
                    .toList();
        }
    }
}
