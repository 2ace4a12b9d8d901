package org.tokenrate.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What Hugging Face's files beside a {@code tokenizer.model} say: {@code tokenizer_config.json},
 * and the older {@code special_tokens_map.json} and {@code added_tokens.json} for what it leaves
 * open. None of them need be there; Meta's folders have none.
 *
 * @param addBos {@code add_bos_token}
 * @param bos the spelling of {@code bos_token}
 * @param added by id
 */
record TokenizerSettings(
        Optional<Boolean> addBos,
        Optional<Boolean> addEos,
        Optional<String> bos,
        Optional<String> eos,
        Map<Integer, AddedToken> added) {
    private static final int MAX_BYTES = 64 << 20;

    /**
     * @throws IOException one sentence with the file and what is wrong with it
     */
    static TokenizerSettings read(Path folder) throws IOException {
        JsonNode config = json(folder.resolve("tokenizer_config.json"));
        JsonNode specialMap = json(folder.resolve("special_tokens_map.json"));
        Path addedFile = folder.resolve("added_tokens.json");
        JsonNode addedTokens = json(addedFile);
        Set<String> specials = specials(config);
        specials.addAll(specials(specialMap));

        Map<Integer, AddedToken> added = new HashMap<>();
        for (var token : addedTokens.properties()) {
            int id = id(addedFile, token.getValue().asText());
            added.put(id, new AddedToken(token.getKey(), specials.contains(token.getKey())));
        }
        for (var token : config.path("added_tokens_decoder").properties()) {
            int id = id(folder.resolve("tokenizer_config.json"), token.getKey());
            String content = token.getValue().path("content").asText();
            boolean special = token.getValue().path("special").asBoolean();
            added.put(id, new AddedToken(content, special || specials.contains(content)));
        }
        return new TokenizerSettings(
                flag(config.path("add_bos_token")),
                flag(config.path("add_eos_token")),
                spelling(config.path("bos_token")).or(() -> spelling(specialMap.path("bos_token"))),
                spelling(config.path("eos_token")).or(() -> spelling(specialMap.path("eos_token"))),
                Map.copyOf(added));
    }

    /** The added token of that spelling. */
    Optional<Integer> find(String spelling) {
        return added.entrySet().stream()
                .filter(e -> e.getValue().content().equals(spelling))
                .map(Map.Entry::getKey)
                .min(Integer::compare);
    }

    private static int id(Path file, String text) throws IOException {
        try {
            int id = Integer.parseInt(text);
            if (id >= 0 && id <= Vocabulary.MAX_ID) return id;
        } catch (NumberFormatException e) {
            // refused below
        }
        throw new IOException(
                String.format(
                        "%s has the token id %s; ids must be from 0 to %d",
                        file, text, Vocabulary.MAX_ID));
    }

    private static Set<String> specials(JsonNode file) {
        var specials = new HashSet<String>();
        for (var entry : file.properties()) {
            if (!entry.getKey().endsWith("_token") && !entry.getKey().endsWith("_tokens")) continue;
            spelling(entry.getValue()).ifPresent(specials::add);
            if (entry.getValue().isArray()) {
                entry.getValue().forEach(e -> spelling(e).ifPresent(specials::add));
            }
        }
        return specials;
    }

    private static Optional<Boolean> flag(JsonNode node) {
        return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
    }

    /** A token is its spelling or, with how it is found in a text, an object. */
    private static Optional<String> spelling(JsonNode node) {
        JsonNode text = node.isObject() ? node.path("content") : node;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }

    /** A file's content; nothing where there is no such file. */
    static JsonNode json(Path file) throws IOException {
        if (!Files.isRegularFile(file)) return MissingNode.getInstance();
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new IOException(file + " has " + size + " bytes of at most " + MAX_BYTES);
        }
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IOException(
                    file
                            + " is not valid JSON: "
                            + e.getOriginalMessage().lines().findFirst().orElse("broken"),
                    e);
        }
    }
}
