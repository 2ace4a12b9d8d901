package org.tokenrate.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small JSON file of a model folder, read whole. */
final class JsonFile {
    /** The largest that are published have some hundred KB. */
    static final long MAX_BYTES = 16 << 20;

    /** Of a wrong value, a message quotes no more than this many characters. */
    private static final int QUOTED = 80;

    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private JsonFile() {}

    /**
     * @throws CheckpointException if the file is too long, is not JSON or holds no object
     */
    static JsonNode object(Path file) throws IOException {
        JsonNode json = read(file, MAX_BYTES);
        if (!json.isObject()) throw new CheckpointException(file, "is not a JSON object");
        return json;
    }

    /**
     * What a file holds, an object or not.
     *
     * @param limit bytes that it may have
     * @throws CheckpointException if the file is missing, too long or not JSON
     */
    static JsonNode read(Path file, long limit) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    file, Files.exists(file) ? "is not a file" : "is missing");
        }
        long size = Files.size(file);
        if (size > limit) {
            throw new CheckpointException(
                    file, "is %d bytes long, but may have %d".formatted(size, limit));
        }
        try {
            return JSON.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file, "is not JSON: " + e.getOriginalMessage());
        } catch (CharConversionException e) { // what looks like UTF-32 and is not
            throw new CheckpointException(file, "is not JSON: " + e.getMessage());
        }
    }

    /** A value for a message. */
    static String quote(JsonNode value) {
        if (value.isMissingNode()) return "missing";
        String text = value.toString();
        return text.length() <= QUOTED ? text : text.substring(0, QUOTED) + "...";
    }
}
