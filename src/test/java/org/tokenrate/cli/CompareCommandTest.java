package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.report.ThroughputCsv;

/** On the json of a real run of two forks. */
class CompareCommandTest {
    @TempDir Path folder;

    @BeforeEach
    void copyTheRecordedRun() throws IOException {
        Path run = Files.createDirectories(folder.resolve("results/1a2b3c4/20260101T000000Z"));
        try (InputStream in = ThroughputCsv.class.getResourceAsStream("jmh.json")) {
            Files.copy(in, run.resolve("jmh.json"));
        }
    }

    @Test
    void aComparisonEndsWithZeroAndShowsItsTable() throws Exception {
        Cli cli = Cli.run(folder, "compare", "1a2b3c4", "1a2b");
        assertEquals(0, cli.status(), cli.err());
        assertTrue(cli.out().contains("concurrency=1: base 2 forks, 4 iterations"), cli.out());
        assertTrue(cli.out().contains("too few forks (2 of 6)"), cli.out());
        assertEquals("", cli.err());
    }

    @Test
    void badArgumentsEndWithTwoAndASentence() throws Exception {
        Cli cli = Cli.run(folder, "compare", "1a2b3c4", "ffff");
        assertEquals(2, cli.status());
        assertEquals(
                "ERROR: 'ffff' is neither a file, a folder nor a commit in results; that has"
                        + " 1a2b3c4\n",
                cli.err());
        assertEquals(2, Main.run("compare", "a", "b", "--fail-over", "x"));
        assertEquals(2, Main.run("compare", "a"));
    }
}
