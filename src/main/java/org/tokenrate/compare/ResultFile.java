package org.tokenrate.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file of results into memory, if it is not so large that it cannot be one. */
final class ResultFile {
    /** A hundred combinations of ten forks of ten iterations have a tenth of it. */
    private static final long LARGEST_BYTES = 128L << 20;

    private ResultFile() {}

    static void requireSane(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes <= LARGEST_BYTES) return;
        throw new IOException(
                "%s has %,d MiB, over the limit of %d MiB; is it a result at all?"
                        .formatted(file, bytes >> 20, LARGEST_BYTES >> 20));
    }

    static JsonNode json(Path file) throws IOException {
        requireSane(file);
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            throw new IOException(
                    "%s is not JSON: line %d, column %d: %s"
                            .formatted(
                                    file, at.getLineNr(), at.getColumnNr(), e.getOriginalMessage()),
                    e);
        }
    }
}
