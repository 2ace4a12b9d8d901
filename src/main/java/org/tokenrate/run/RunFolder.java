package org.tokenrate.run;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Where a run leaves its files: {@code BASE/COMMIT[-dirty]/UTC-START}. */
public final class RunFolder {
    private static final DateTimeFormatter START =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private RunFolder() {}

    /**
     * Makes a folder that no other run has: one that starts in the same second gets a suffix.
     *
     * @throws IOException if it cannot be made, with the folder and what to do
     */
    public static Path create(Path base, GitState git, Instant start) throws IOException {
        Path commit = base.resolve(git.name());
        try {
            Files.createDirectories(commit);
            for (int i = 1; ; i++) {
                try {
                    String suffix = i == 1 ? "" : "-" + i;
                    return Files.createDirectory(commit.resolve(START.format(start) + suffix));
                } catch (FileAlreadyExistsException e) {
                    // Another run's; the next name is free or taken in its turn.
                }
            }
        } catch (IOException e) {
            throw new IOException(
                    "cannot make a folder for results in "
                            + commit
                            + " ("
                            + e.getClass().getSimpleName()
                            + "); give another one, e.g. --results /tmp/results",
                    e);
        }
    }
}
