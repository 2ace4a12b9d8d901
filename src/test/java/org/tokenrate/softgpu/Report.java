package org.tokenrate.softgpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the software GPU has reported in this JVM. */
public final class Report {
    private Report() {}

    /** What came since the last call; empty if nothing. What a test takes does not fail it. */
    public static String take() {
        return Taken.FILE.take();
    }

    /** How much of the file has been taken. */
    private static final class Taken {
        static final Taken FILE = new Taken(Path.of(System.getenv("SOFTGPU_REPORT")));

        private final Path file;
        private int taken;

        private Taken(Path file) {
            this.file = file;
        }

        synchronized String take() {
            try {
                if (!Files.exists(file)) return "";
                String all = Files.readString(file);
                String fresh = all.substring(taken);
                taken = all.length();
                return fresh;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
