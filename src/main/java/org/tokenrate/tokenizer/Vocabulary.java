package org.tokenrate.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What detokenization needs of a {@code tokenizer.json}.
 *
 * @param pieces the tokens' own spelling by id, added tokens included
 * @param specials spellings of the tokens that give no text
 * @param decoder how spellings become text; missing or null if the file names none
 */
record Vocabulary(Map<Integer, String> pieces, Set<String> specials, JsonNode decoder) {
    /** A larger id than any vocabulary's, so that a broken file cannot ask for a table of 2^31. */
    static final int MAX_ID = 1 << 24;

    /** One more than the largest id. */
    int size() {
        return pieces.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }

    /**
     * Reads the parts of the file that matter, and no tree of its vocabulary and merges.
     *
     * @throws IOException one sentence with the file, and the position where there is one
     */
    static Vocabulary read(Path json) throws IOException {
        // A vocabulary's keys are all different: no use in keeping them for the next parse.
        var factory =
                JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();
        factory.setCodec(new ObjectMapper());
        try (JsonParser parser = factory.createParser(json.toFile())) {
            return read(json, parser);
        } catch (JsonProcessingException e) {
            throw new IOException(
                    String.format(
                            "%s is not valid JSON: %s (line %d, column %d)",
                            json,
                            e.getOriginalMessage().lines().findFirst().orElse("broken"),
                            e.getLocation() == null ? -1 : e.getLocation().getLineNr(),
                            e.getLocation() == null ? -1 : e.getLocation().getColumnNr()),
                    e);
        }
    }

    private static Vocabulary read(Path json, JsonParser parser) throws IOException {
        var pieces = new HashMap<Integer, String>();
        JsonNode added = MissingNode.getInstance();
        JsonNode decoder = MissingNode.getInstance();
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new IOException(json + " is not a tokenizer: its top level is no JSON object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            switch (key) {
                case "added_tokens" -> added = parser.readValueAsTree();
                case "decoder" -> decoder = parser.readValueAsTree();
                case "model" -> readModel(parser, pieces);
                default -> parser.skipChildren();
            }
        }
        var specials = new HashSet<String>();
        for (JsonNode token : added) {
            String content = token.path("content").asText();
            pieces.put(token.path("id").asInt(-1), content);
            if (token.path("special").asBoolean()) specials.add(content);
        }
        if (pieces.isEmpty()) throw new IOException(json + " has no vocabulary");
        for (int id : pieces.keySet()) {
            if (id < 0 || id > MAX_ID) {
                throw new IOException(
                        json + " has the token id " + id + "; ids must be from 0 to " + MAX_ID);
            }
        }
        return new Vocabulary(pieces, specials, decoder);
    }

    private static void readModel(JsonParser parser, Map<Integer, String> pieces)
            throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean vocabulary = parser.currentName().equals("vocab");
            JsonToken value = parser.nextToken();
            if (vocabulary && value == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String piece = parser.currentName();
                    parser.nextToken();
                    pieces.put(parser.getValueAsInt(-1), piece);
                }
            } else if (vocabulary && value == JsonToken.START_ARRAY) {
                // Unigram: [[piece, score], ...], the place is the id.
                for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
                    String piece = parser.nextTextValue();
                    if (piece != null) pieces.put(id, piece);
                    while (parser.nextToken() != JsonToken.END_ARRAY) parser.skipChildren();
                }
            } else {
                parser.skipChildren();
            }
        }
    }
}
