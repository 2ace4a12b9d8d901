package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.report.ThroughputCsv;

/** On the json of a real run of two forks. */
class HistoryCommandTest {
    @TempDir Path folder;

    @Test
    void aHistoryIsShownWrittenAndEndsWithZero() throws Exception {
        copyTheRecordedRun();
        Cli cli =
                Cli.run(
                        folder,
                        "history",
                        "-o",
                        "h.html",
                        "--json",
                        "h.json",
                        "--csv",
                        "h.csv",
                        "--metric",
                        "output_tok_s",
                        "--fail-on-change");
        assertEquals(0, cli.status(), cli.err());
        assertEquals("", cli.err());
        assertTrue(cli.out().contains("1 run of 1 state"), cli.out());
        assertTrue(
                cli.out().contains("too few points to show a change (1 of 8 needed)"), cli.out());
        for (String name : new String[] {"h.html", "h.json", "h.csv"}) {
            assertTrue(Files.size(folder.resolve(name)) > 100, name);
        }
    }

    @Test
    void badArgumentsEndWithTwoAndASentence() throws Exception {
        Cli cli = Cli.run(folder, "history");
        assertEquals(2, cli.status());
        assertEquals(
                "ERROR: results is no folder; give the one that holds the results, --results DIR\n",
                cli.err());
        copyTheRecordedRun();
        assertEquals(2, Main.run("history", "--results", folder + "/results", "--metric", "speed"));
    }

    private void copyTheRecordedRun() throws IOException {
        Path run = Files.createDirectories(folder.resolve("results/1a2b3c4/20260101T000000Z"));
        try (InputStream in = ThroughputCsv.class.getResourceAsStream("jmh.json")) {
            Files.copy(in, run.resolve("jmh.json"));
        }
    }
}
