package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {
    @TempDir Path folder;

    @Test
    void withoutAnyResultItSaysWhatToDo() throws Exception {
        Cli cli = Cli.run(folder, "report");
        assertEquals(Main.BAD_ARGUMENTS, cli.status());
        assertEquals(
                "ERROR: there is no result in results yet; run a benchmark, or give a run's folder\n",
                cli.err());
    }

    @Test
    void aFileThatIsNoResultIsNamed() throws Exception {
        Files.writeString(folder.resolve("jmh.json"), "[{\"benchmark\":");
        Cli cli = Cli.run(folder, "report", "jmh.json");
        assertEquals(Main.BAD_ARGUMENTS, cli.status());
        assertTrue(cli.err().startsWith("ERROR: jmh.json is not JSON: line 1"), cli.err());
        assertFalse(cli.err().contains("REDACTED"), cli.err());
        assertTrue(Files.notExists(folder.resolve("report.html")));
    }
}
