package org.tokenrate.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.util.Utils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against Hugging Face's tokenizers in Python; {@code src/test/python/tokenizers_reference.py}
 * makes the tokenizers and the expected values.
 */
class JsonTokenizerTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"byte-level", "byte-fallback", "metaspace", "word-piece"})
    void textsAndTokensAreThoseOfHuggingFace(String kind) throws IOException {
        JsonNode expected = expected(kind);
        try (Tokenizer tokenizer = Tokenizers.load(folder(kind))) {
            assertEquals(expected.get("size").intValue(), tokenizer.vocabularySize());
            assertEquals(15, expected.get("encoded").size());
            for (JsonNode e : expected.get("encoded")) {
                String text = e.get("text").textValue();
                assertArrayEquals(ids(e), tokenizer.encode(text), text);
            }
            assertEquals(60, expected.get("decoded").size());
            for (JsonNode e : expected.get("decoded")) {
                assertEquals(e.get("text").textValue(), tokenizer.decode(ids(e)), e.toString());
            }
        }
    }

    @Test
    void truncationAndPaddingInTheFileAreOff() throws IOException {
        JsonNode file =
                new ObjectMapper()
                        .readTree(folder("byte-level").resolve("tokenizer.json").toFile());
        assertEquals(8, file.path("truncation").path("max_length").intValue());
        assertEquals(16, file.path("padding").path("strategy").path("Fixed").intValue());
        try (Tokenizer tokenizer = Tokenizers.load(folder("byte-level"))) {
            assertEquals(2, tokenizer.encode("a").length);
            assertEquals(100_001, tokenizer.encode("\t".repeat(100_000)).length);
        }
    }

    @Test
    void halfASurrogatePairIsAReplacementCharacterAndSpoilsNothingElse() throws IOException {
        try (Tokenizer tokenizer = Tokenizers.load(folder("byte-level"))) {
            assertEquals(
                    "🚀a\ufffdb\ufffd🚀", tokenizer.decode(tokenizer.encode("🚀a\ud83db\ude80🚀")));
        }
    }

    @Test
    void manyThreadsGetWhatOneGets() throws IOException {
        JsonNode encoded = expected("byte-level").get("encoded");
        var order = new ArrayList<>(IntStream.range(0, 1500).map(i -> i % 15).boxed().toList());
        Collections.shuffle(order);
        try (Tokenizer tokenizer = Tokenizers.load(folder("byte-level"))) {
            order.parallelStream()
                    .forEach(
                            i ->
                                    assertArrayEquals(
                                            ids(encoded.get(i)),
                                            tokenizer.encode(
                                                    encoded.get(i).get("text").textValue())));
        }
    }

    @Test
    void nothingIsFetchedOrReported() throws IOException {
        Tokenizers.load(folder("byte-level")).close();
        assertTrue(Utils.isOfflineMode());
        assertEquals("true", Utils.getEnvOrSystemProperty("OPT_OUT_TRACKING"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    {"tokenizer_class":"LlamaTokenizer","bos_token":"</s>"}|2, 0
                    {"tokenizer_class":"LlamaTokenizer","bos_token":{"content":"</s>"},"add_bos_token":true}|2, 0
                    {"tokenizer_class":"LlamaTokenizerFast","add_bos_token":false}|0
                    {"tokenizer_class":"LlamaTokenizer","bos_token":"<s>","eos_token":"</s>","add_eos_token":true}|1, 0, 2
                    {"tokenizer_class":"PreTrainedTokenizerFast","bos_token":"</s>","add_bos_token":true}|1, 0
                    {}|1, 0
                    """)
    void forLlamasTokenizerClassTheConfigDecidesOnSpecialTokens(String config, String expected)
            throws IOException {
        // expected: 1 is <s>, 2 is </s>, 0 the text's only token
        Path copy = copy("byte-fallback");
        Files.writeString(copy.resolve("tokenizer_config.json"), config);
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            int[] ids = tokenizer.encode(" ");
            int[] named = IntStream.of(ids).map(id -> id == 1 || id == 2 ? id : 0).toArray();
            assertEquals("[" + expected + "]", Arrays.toString(named));
        }
    }

    @Test
    void aSpecialTokenThatTheVocabularyLacksIsNamed() throws IOException {
        Path copy = copy("byte-fallback");
        Files.writeString(
                copy.resolve("tokenizer_config.json"),
                "{\"tokenizer_class\":\"LlamaTokenizer\",\"bos_token\":\"<bos>\"}");
        assertRefused(copy, "tokenizer_config.json adds \"<bos>\"");
    }

    @Test
    void aMissingFolderAndAMissingFileAreNamed() throws IOException {
        Path missing = folder.resolve("missing");
        assertRefused(missing, "there is no model folder " + missing);
        String wanted = "no tokenizer.json, tokenizer.model or qwen.tiktoken in ";
        assertRefused(folder, wanted + folder + ", which holds nothing");
        Files.writeString(folder.resolve("vocab.txt"), "");
        Files.writeString(folder.resolve("merges.txt"), "");
        assertRefused(folder, "which holds merges.txt, vocab.txt");
        assertRefused(folder.resolve("vocab.txt"), "vocab.txt is not a folder");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"model":|not valid JSON: Unexpected end-of-input
                    []|its top level is no JSON object
                    {}|has no vocabulary
                    {"model":{"vocab":{"a":0}}}|is not a tokenizer that can be read
                    {"model":{"vocab":{"a":2000000000}}}|token id 2000000000
                    {"model":{"vocab":{"a":"x"}}}|token id -1
                    """)
    void aBrokenFileIsRefusedWithTheReason(String json, String why) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), json);
        assertRefused(folder, why);
    }

    static void assertRefused(Path folder, String why) {
        String message =
                assertThrows(IOException.class, () -> Tokenizers.load(folder)).getMessage();
        assertTrue(message.contains(why), message);
        assertTrue(message.lines().count() == 1, message);
    }

    private Path copy(String kind) throws IOException {
        Files.copy(folder(kind).resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        return folder;
    }

    static Path folder(String kind) {
        return Path.of("src/test/resources/org/tokenrate/tokenizer", kind);
    }

    private static JsonNode expected(String kind) throws IOException {
        return new ObjectMapper().readTree(folder(kind).resolve("expected.json").toFile());
    }

    static int[] ids(JsonNode node) {
        var ids = new int[node.get("ids").size()];
        for (int i = 0; i < ids.length; i++) ids[i] = node.get("ids").get(i).intValue();
        return ids;
    }
}
