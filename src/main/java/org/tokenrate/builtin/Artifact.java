package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that can be made at any time with the same bytes.
 *
 * @param name relative to the cache's version folder, with / between the parts
 * @param bytes its size
 * @param sha256 its SHA-256 in lower-case hexadecimal
 */
record Artifact(String name, long bytes, String sha256, Maker maker) {
    /** Writes the file's content to a path where nothing stands yet. */
    interface Maker {
        void write(Path file) throws IOException;
    }
}
