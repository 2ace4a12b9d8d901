package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
    private static final Instant START = Instant.parse("2026-11-24T04:05:00Z");

    @TempDir Path base;

    @Test
    void itIsNamedByCommitAndStart() throws IOException {
        Path folder = RunFolder.create(base, new GitState("1a2b3c4", false), START);
        assertEquals(base.resolve("1a2b3c4/20261124T040500Z"), folder);
        assertTrue(Files.isDirectory(folder));
    }

    @Test
    void aChangedWorkTreeShows() throws IOException {
        Path folder = RunFolder.create(base, new GitState("1a2b3c4", true), START);
        assertEquals(base.resolve("1a2b3c4-dirty/20261124T040500Z"), folder);
    }

    @Test
    void runsOfTheSameSecondShareNoFolder() throws IOException {
        var git = new GitState("1a2b3c4", false);
        RunFolder.create(base, git, START);
        Path second = RunFolder.create(base, git, START);
        Path third = RunFolder.create(base, git, START);
        assertEquals("20261124T040500Z-2", second.getFileName().toString());
        assertEquals("20261124T040500Z-3", third.getFileName().toString());
    }

    @Test
    void aBaseThatCannotBeAFolderIsAnError() throws IOException {
        Path file = Files.writeString(base.resolve("results"), "a file");
        var e =
                assertThrows(
                        IOException.class,
                        () -> RunFolder.create(file, new GitState("1a2b3c4", false), START));
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "cannot make a folder for results in " + file.resolve("1a2b3c4")),
                e.getMessage());
        assertTrue(e.getMessage().endsWith("e.g. --results /tmp/results"), e.getMessage());
    }
}
