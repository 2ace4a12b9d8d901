package org.tokenrate.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.tokenizer.JsonTokenizerTest.assertRefused;

import ai.djl.util.Utils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against Google's sentencepiece in Python; see {@link Fixture}. */
class SentencePieceTokenizerTest {
    private static final int BOS = 1;
    private static final int EOS = 2;
    private static final int PIECES = 440;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"sentencepiece-bpe", "sentencepiece-unigram", "sentencepiece-unigram-bytes"})
    void textsAndTokensAreThoseOfSentencePiece(String kind) throws IOException {
        Fixture expected = Fixture.read(kind);
        assertTrue(expected.encoded().size() > 100 && expected.decoded().size() > 100);
        try (Tokenizer tokenizer = load(kind)) {
            assertEquals(expected.size(), tokenizer.vocabularySize());
            for (var pair : expected.encoded()) {
                int[] ids = tokenizer.encode(pair.text());
                assertArrayEquals(withBos(pair.ids()), ids, () -> "\"" + pair.text() + "\"");
            }
            for (var pair : expected.decoded()) {
                String ids = Arrays.toString(pair.ids());
                assertEquals(pair.text(), tokenizer.decode(pair.ids()), ids);
            }
        }
    }

    @Test
    void theTokenizerJsonOfTheSameModelGivesTheSameIds() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (Tokenizer sentencePiece = load("sentencepiece-bpe");
                Tokenizer json = load("sentencepiece-bpe-json")) {
            assertEquals(json.vocabularySize(), sentencePiece.vocabularySize());
            for (var pair : Fixture.read("sentencepiece-bpe").encoded()) {
                assertArrayEquals(
                        json.encode(pair.text()), sentencePiece.encode(pair.text()), pair.text());
            }
            for (int round = 0; round < 500; round++) {
                String text = RandomText.of(random);
                int[] ids = sentencePiece.encode(text);
                assertArrayEquals(json.encode(text), ids, "seed " + seed + " \"" + text + "\"");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sentencepiece-bpe", "sentencepiece-unigram-bytes"})
    void anyTextComesBack(String kind) throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (Tokenizer tokenizer = load(kind)) {
            for (int round = 0; round < 1000; round++) {
                // SentencePiece's sign for a space is a space to it.
                String text = RandomText.of(random).replace('\u2581', ' ');
                String back = tokenizer.decode(tokenizer.encode(text));
                assertEquals(text, back, "seed " + seed + " \"" + text + "\"");
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {}|1, 0
                    {"tokenizer_class":"LlamaTokenizer"}|1, 0
                    {"tokenizer_class":"InternLMTokenizer","bos_token":"<s>","eos_token":"</s>"}|1, 0
                    {"add_bos_token":true,"add_eos_token":false,"bos_token":"</s>"}|2, 0
                    {"add_bos_token":null,"bos_token":{"content":"</s>"}}|2, 0
                    {"add_bos_token":false}|0
                    {"add_bos_token":false,"add_eos_token":true}|0, 2
                    {"add_eos_token":true,"eos_token":"<s>"}|1, 0, 1
                    {"bos_token":"<begin>","added_tokens_decoder":{"440":{"content":"<begin>","special":true}}}|440, 0
                    """)
    void theConfigDecidesOnTheTokensAroundAText(String config, String expected) throws IOException {
        Path copy = copy();
        Files.writeString(copy.resolve("tokenizer_config.json"), config);
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            // In expected, 0 stands for all of the text's own tokens.
            List<Integer> ids =
                    IntStream.of(tokenizer.encode("the"))
                            .map(i -> i <= EOS || i >= PIECES ? i : 0)
                            .boxed()
                            .toList();
            List<Integer> merged = new ArrayList<>();
            for (int id : ids) if (id != 0 || !merged.contains(0)) merged.add(id);
            assertEquals("[" + expected + "]", merged.toString());
        }
    }

    @Test
    void theSpecialTokensMapNamesWhatTheConfigDoesNot() throws IOException {
        Path copy = copy();
        Files.writeString(
                copy.resolve("special_tokens_map.json"), "{\"bos_token\":{\"content\":\"</s>\"}}");
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            assertEquals(EOS, tokenizer.encode("x")[0]);
        }
    }

    @Test
    void addedTokensAreTextSpecialOnesAreNot() throws IOException {
        Path copy = copy();
        Files.writeString(
                copy.resolve("added_tokens.json"), "{\"<pad>\":440,\"<tool>\":442,\" \":441}");
        Files.writeString(
                copy.resolve("tokenizer_config.json"),
                "{\"pad_token\":\"<pad>\",\"added_tokens_decoder\":{"
                        + "\"1\":{\"content\":\"<s>\",\"special\":true},"
                        + "\"439\":{\"content\":\"<renamed>\",\"special\":false},"
                        + "\"500\":{\"content\":\"<end>\",\"special\":true}}}");
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            assertEquals(501, tokenizer.vocabularySize());
            int[] tokens = {BOS, 440, 442, 499, 441, 439, 500, 501, -1, EOS};
            assertEquals("<tool> <renamed>", tokenizer.decode(tokens));
        }
    }

    @Test
    void textThatLooksLikeASpecialTokenIsText() throws IOException {
        Path copy = copy();
        Files.writeString(copy.resolve("added_tokens.json"), "{\"<|end|>\":440}");
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            int[] ids = tokenizer.encode("a</s><|end|>");
            assertEquals(BOS, ids[0]);
            assertTrue(IntStream.of(ids).skip(1).allMatch(i -> i > EOS && i < PIECES));
            assertEquals("a</s><|end|>", tokenizer.decode(ids));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"bos_token":"<begin>"}|bos_token "<begin>" is no token of
                    {"add_eos_token":true,"eos_token":"<end>"}|eos_token "<end>" is no token of
                    {"add_bos_token":|tokenizer_config.json is not valid JSON
                    {"added_tokens_decoder":{"-1":{"content":"x"}}}|has the token id -1; ids must be from 0 to
                    {"added_tokens_decoder":{"999999999":{"content":"x"}}}|has the token id 999999999
                    {"added_tokens_decoder":{"one":{"content":"x"}}}|has the token id one
                    """)
    void aConfigThatFitsNotTheModelIsRefused(String config, String why) throws IOException {
        Path copy = copy();
        Files.writeString(copy.resolve("tokenizer_config.json"), config);
        assertRefused(copy, why);
    }

    @Test
    void aModelWithoutABeginTokenHasNoneUnlessItIsAskedFor() throws IOException {
        var model =
                new ProtoWriter()
                        .message(1, new ProtoWriter().string(1, "<unk>").varint(3, 2))
                        .message(1, new ProtoWriter().string(1, "a"));
        Files.write(folder.resolve("tokenizer.model"), model.toBytes());
        try (Tokenizer tokenizer = Tokenizers.load(folder)) {
            assertEquals(0, tokenizer.encode("").length);
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"add_bos_token\":true}");
        assertRefused(folder, "tokenizer.model has no bos_token to add; name it in");
    }

    @Test
    void manyThreadsGetWhatOneGets() throws IOException {
        var encoded = Fixture.read("sentencepiece-bpe").encoded();
        try (Tokenizer tokenizer = load("sentencepiece-bpe")) {
            IntStream.range(0, 20 * encoded.size())
                    .parallel()
                    .mapToObj(i -> encoded.get(i % encoded.size()))
                    .forEach(
                            pair ->
                                    assertArrayEquals(
                                            withBos(pair.ids()), tokenizer.encode(pair.text())));
        }
    }

    @Test
    void aClosedTokenizerSaysSoAndMayBeClosedAgain() throws IOException {
        Tokenizer tokenizer = load("sentencepiece-bpe");
        tokenizer.close();
        tokenizer.close();
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("x"));
    }

    @Test
    void nothingIsFetchedOrReported() throws IOException {
        load("sentencepiece-bpe").close();
        assertTrue(Utils.isOfflineMode());
        assertEquals("true", Utils.getEnvOrSystemProperty("OPT_OUT_TRACKING"));
    }

    private static int[] withBos(int[] ids) {
        return IntStream.concat(IntStream.of(BOS), IntStream.of(ids)).toArray();
    }

    private static Tokenizer load(String kind) throws IOException {
        return Tokenizers.load(JsonTokenizerTest.folder(kind));
    }

    private Path copy() throws IOException {
        Fixture.copy("sentencepiece-bpe", "tokenizer.model", folder);
        return folder;
    }
}
