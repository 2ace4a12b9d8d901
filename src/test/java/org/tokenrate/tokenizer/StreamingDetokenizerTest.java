package org.tokenrate.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamingDetokenizerTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "byte-level",
                "byte-fallback",
                "metaspace",
                "word-piece",
                "sentencepiece-bpe",
                "sentencepiece-unigram",
                "sentencepiece-unigram-bytes",
                "tiktoken-llama3",
                "tiktoken-qwen"
            })
    void theStreamOfRandomTokensIsTheirDecodedText(String kind) throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (Tokenizer tokenizer = load(kind)) {
            StreamingDetokenizer detokenizer = tokenizer.newDetokenizer();
            for (int round = 0; round < 3000; round++) {
                // Two ids that no token has, too.
                int[] tokens =
                        random.ints(random.nextInt(40), 0, tokenizer.vocabularySize() + 2)
                                .toArray();
                assertEquals(
                        tokenizer.decode(tokens),
                        String.join("", stream(detokenizer, tokens, random)),
                        "seed " + seed + " " + Arrays.toString(tokens));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "byte-level",
                "byte-fallback",
                "metaspace",
                "word-piece",
                "sentencepiece-bpe",
                "sentencepiece-unigram",
                "sentencepiece-unigram-bytes",
                "tiktoken-llama3",
                "tiktoken-qwen"
            })
    void theStreamOfTextCutAnywhereIsItsDecodedText(String kind) throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (Tokenizer tokenizer = load(kind)) {
            StreamingDetokenizer detokenizer = tokenizer.newDetokenizer();
            for (int round = 0; round < 1000; round++) {
                int[] whole = tokenizer.encode(randomText(random));
                int from = random.nextInt(whole.length);
                int[] tokens =
                        Arrays.copyOfRange(
                                whole, from, from + random.nextInt(whole.length - from + 1));
                assertEquals(
                        tokenizer.decode(tokens),
                        String.join("", stream(detokenizer, tokens, random)),
                        "seed " + seed + " " + Arrays.toString(tokens));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"byte-level", "byte-fallback", "sentencepiece-bpe", "tiktoken-llama3"})
    void halfACharacterWaitsForTheOtherHalf(String kind) throws IOException {
        try (Tokenizer tokenizer = load(kind)) {
            StreamingDetokenizer detokenizer = tokenizer.newDetokenizer();
            int[] tokens = tokenizer.encode("\u00fcx"); // ü is two tokens in all
            var steps = new ArrayList<String>();
            for (int token : tokens) {
                var out = new StringBuilder();
                detokenizer.append(new int[] {token}, 1, out);
                steps.add(out.toString());
            }
            assertEquals("", steps.get(tokens.length - 3), steps.toString());
            assertEquals("üx", String.join("", steps), steps.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"byte-level", "byte-fallback", "sentencepiece-bpe", "tiktoken-llama3"})
    void aLongAnswerOfNothingButSplitCharactersComesWhole(String kind) throws IOException {
        String text = "\u0416\ud83d\ude80\u4e2d".repeat(300);
        try (Tokenizer tokenizer = load(kind)) {
            int[] tokens = tokenizer.encode(text);
            var parts = stream(tokenizer.newDetokenizer(), tokens, new Random(0));
            assertEquals(text, String.join("", parts));
        }
    }

    @Test
    void theUsualDecodersHaveATableAndOthersAWindow() throws IOException {
        assertDetokenizer("byte-level", ByteLevelDetokenizer.class);
        assertDetokenizer("byte-fallback", ByteFallbackDetokenizer.class);
        assertDetokenizer("sentencepiece-bpe", SentencePieceDetokenizer.class);
        assertDetokenizer("tiktoken-llama3", ByteLevelDetokenizer.class);
        assertDetokenizer("metaspace", WindowDetokenizer.class);
        assertDetokenizer("word-piece", WindowDetokenizer.class);
    }

    private static void assertDetokenizer(String kind, Class<?> expected) throws IOException {
        try (Tokenizer tokenizer = load(kind)) {
            assertInstanceOf(expected, tokenizer.newDetokenizer());
        }
    }

    /** Feeds the tokens in steps of random length, into one builder or a new one each. */
    private static List<String> stream(
            StreamingDetokenizer detokenizer, int[] tokens, Random random) {
        var parts = new ArrayList<String>();
        var out = new StringBuilder();
        boolean oneBuilder = random.nextBoolean();
        for (int at = 0; at < tokens.length; ) {
            int count = Math.min(tokens.length - at, random.nextInt(4));
            // More than the step's tokens in the array: only the first count are meant.
            detokenizer.append(Arrays.copyOfRange(tokens, at, at + count + 2), count, out);
            at += count;
            if (!oneBuilder) {
                parts.add(out.toString());
                out.setLength(0);
            }
        }
        detokenizer.finish(out);
        parts.add(out.toString());
        return parts;
    }

    private static String randomText(Random random) {
        String[] parts = {
            "the ",
            "quick",
            " ",
            "\n",
            "é",
            "ü",
            "你好",
            "世",
            "🚀",
            "👩‍👩‍👧",
            "<tool>",
            "</s>",
            "▁",
            "\u0000",
            "'t"
        };
        var text = new StringBuilder();
        for (int i = random.nextInt(20); i >= 0; i--) {
            text.append(parts[random.nextInt(parts.length)]);
        }
        return text.toString();
    }

    private static Tokenizer load(String kind) throws IOException {
        return Tokenizers.load(JsonTokenizerTest.folder(kind));
    }
}
