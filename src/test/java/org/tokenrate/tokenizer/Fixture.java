package org.tokenrate.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * A tokenizer and what its reference implementation makes of texts and tokens with it; {@code
 * src/test/python/tokenizer_models_reference.py} makes both.
 *
 * @param encoded ids without those that a model puts around a text
 */
record Fixture(int size, List<Pair> encoded, List<Pair> decoded) {
    record Pair(String text, int[] ids) {}

    static Fixture read(String kind) {
        try {
            JsonNode json =
                    new ObjectMapper()
                            .readTree(
                                    JsonTokenizerTest.folder(kind)
                                            .resolve("expected.json")
                                            .toFile());
            return new Fixture(
                    json.path("size").intValue(),
                    pairs(json.path("encoded")),
                    pairs(json.path("decoded")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Pair> pairs(JsonNode nodes) {
        return StreamSupport.stream(nodes.spliterator(), false)
                .map(n -> new Pair(n.path("text").textValue(), JsonTokenizerTest.ids(n)))
                .toList();
    }

    /** Copies one fixture's tokenizer, under its own name, to a folder to play with. */
    static Path copy(String kind, String name, Path folder) throws IOException {
        return Files.copy(JsonTokenizerTest.folder(kind).resolve(name), folder.resolve(name));
    }
}
