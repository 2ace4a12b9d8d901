package org.tokenrate.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The special tokens around a text. Most models say it in {@code tokenizer.json}; for Llama's
 * tokenizer class and its kin, {@code transformers} (4.x) replaces what stands there by what {@code
 * tokenizer_config.json} says: {@code add_bos_token} (default true), {@code add_eos_token} (false).
 */
final class SpecialTokens {
    private static final Set<String> OVERRIDING_CLASSES =
            Set.of(
                    "LlamaTokenizer",
                    "LlamaTokenizerFast",
                    "CodeLlamaTokenizer",
                    "CodeLlamaTokenizerFast",
                    "GemmaTokenizer",
                    "GemmaTokenizerFast");

    private SpecialTokens() {}

    /** The content of {@code tokenizer.json}, with the post-processor that the config asks for. */
    static String apply(Path json, Path config, Vocabulary vocabulary) throws IOException {
        String definition = Files.readString(json);
        JsonNode settings = TokenizerSettings.json(config);
        var mapper = new ObjectMapper();
        if (!OVERRIDING_CLASSES.contains(settings.path("tokenizer_class").asText())) {
            return definition;
        }
        var template = mapper.createObjectNode().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        ObjectNode known = template.putObject("special_tokens");
        if (settings.path("add_bos_token").asBoolean(true)) {
            addToken(single, known, vocabulary, config, settings.path("bos_token"));
        }
        addSequence(single, "A", 0);
        if (settings.path("add_eos_token").asBoolean(false)) {
            addToken(single, known, vocabulary, config, settings.path("eos_token"));
        }
        // The format wants one; no pair is ever encoded.
        addSequence(addSequence(template.putArray("pair"), "A", 0), "B", 1);
        ObjectNode whole = (ObjectNode) mapper.readTree(definition);
        whole.set("post_processor", template);
        return mapper.writeValueAsString(whole);
    }

    private static ArrayNode addSequence(ArrayNode parts, String sequence, int type) {
        parts.addObject().putObject("Sequence").put("id", sequence).put("type_id", type);
        return parts;
    }

    private static void addToken(
            ArrayNode parts, ObjectNode known, Vocabulary vocabulary, Path config, JsonNode setting)
            throws IOException {
        String token = setting.isObject() ? setting.path("content").asText() : setting.asText();
        int id =
                vocabulary.pieces().entrySet().stream()
                        .filter(e -> e.getValue().equals(token))
                        .mapToInt(Map.Entry::getKey)
                        .findFirst()
                        .orElse(-1);
        if (id < 0) {
            throw new IOException(
                    config + " adds \"" + token + "\", which is no token of tokenizer.json");
        }
        parts.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
        ObjectNode entry = known.putObject(token).put("id", token);
        entry.putArray("ids").add(id);
        entry.putArray("tokens").add(token);
    }
}
