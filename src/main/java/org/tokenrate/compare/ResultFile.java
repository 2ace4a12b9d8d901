package org.tokenrate.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokenrate.report.JmhJson;

/** Reads a file of results into memory, if it is not so large that it cannot be one. */
public final class ResultFile {
    /** A hundred combinations of ten forks of ten iterations have a tenth of it. */
    private static final long LARGEST_BYTES = 128L << 20;

    private ResultFile() {}

    /**
     * @throws IOException if it is missing, too large or not JSON, in one sentence
     */
    public static JsonNode json(Path file) throws IOException {
        if (Files.isRegularFile(file) && Files.size(file) > LARGEST_BYTES) {
            throw new IOException(
                    "%s has %,d MiB, over the limit of %d MiB; is it a result at all?"
                            .formatted(file, Files.size(file) >> 20, LARGEST_BYTES >> 20));
        }
        return JmhJson.tree(file);
    }
}
