package org.tokenrate.builtin;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTrainingTest {
    private static final List<String> TEXTS =
            List.of(
                    "Hello, world! It's 12345.67 o'clock, isn't it?",
                    "  leading spaces, trailing spaces  ",
                    "tabs\tand\n\nline breaks\r\n  indented\n",
                    "Zoë, José, Łukasz, Søren, Nguyễn; e\u0301 as two characters",
                    "お元気ですか。你好吗?안녕하세요. Доброе утро!",
                    "👍🏽 👩‍👩‍👧 🇫🇷 ❤️ 𝒳 𐍈",
                    "x² − 22x + 105 ≤ √49 → ∞ \u00a0 non-breaking \u3000 ideographic",
                    "def f(x):\n    return {\"a\": [1, 2], 'b': x ** 2}\n",
                    "unknown script: ᚠᚢᚦ ꦲꦏ ሰላም",
                    "");

    @TempDir static Path folder;

    private static byte[] committed;
    private static HuggingFaceTokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        committed = Resources.bytes("tokenizer.json");
        Files.write(folder.resolve("tokenizer.json"), committed);
        tokenizer = DialogueStatistics.tokenizer(folder);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    @Test
    void trainingAgainGivesTheCommittedTokenizerBitForBit() throws IOException {
        byte[] trained =
                TokenizerTraining.tokenizerJson(new DialogueGenerator(PhraseBank.load()).all());
        assertTrue(
                Arrays.equals(committed, trained),
                "tokenizer.json is not what the dialogues give: run Remake and commit the result");
    }

    @Test
    void textOfAnyScriptComesBackAsItWas() {
        for (String text : TEXTS) {
            long[] ids = tokenizer.encode(text).getIds();
            assertEquals(text, tokenizer.decode(ids, true));
        }
    }

    @Test
    void randomCharactersComeBackAsTheyWere() {
        long seed = System.nanoTime();
        System.out.println("seed of the round-trip test: " + seed);
        var random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            int[] characters =
                    random.ints(20, 1, i % 2 == 0 ? 0x250 : Character.MAX_CODE_POINT)
                            .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                            .toArray();
            String text = new String(characters, 0, characters.length);
            assertEquals(text, tokenizer.decode(tokenizer.encode(text).getIds(), true));
        }
    }

    @Test
    void aTextBeginsWithTheBeginOfTextToken() {
        long[] ids = tokenizer.encode("Hello").getIds();
        assertEquals(TokenizerTraining.BEGIN_ID, ids[0]);
        assertTrue(LongStream.of(ids).skip(1).allMatch(id -> id < TokenizerTraining.BEGIN_ID));
        long[] special = {TokenizerTraining.BEGIN_ID, TokenizerTraining.END_ID};
        assertEquals(
                TokenizerTraining.BEGIN + TokenizerTraining.END, tokenizer.decode(special, false));
        assertEquals("", tokenizer.decode(special, true));
        assertArrayEquals(special, tokenizer.encode(TokenizerTraining.END).getIds());
    }

    /** If the two disagreed on where words end, a token would span the end of a word somewhere. */
    @Test
    void javaAndTheTokenizersLibraryAgreeOnWords() throws IOException {
        var dialogues = new DialogueGenerator(PhraseBank.load());
        for (int i = 0; i < TEXTS.size() + 100; i++) {
            String text =
                    i < TEXTS.size()
                            ? TEXTS.get(i)
                            : dialogues.next().conversations().get(0).value();
            long[] byWord =
                    ByteLevel.WORD_PATTERN
                            .matcher(text)
                            .results()
                            .flatMapToLong(
                                    word ->
                                            LongStream.of(
                                                    tokenizer
                                                            .encode(word.group(), false, false)
                                                            .getIds()))
                            .toArray();
            assertArrayEquals(tokenizer.encode(text, false, false).getIds(), byWord, text);
        }
    }

    @Test
    void frequentWordsAreSingleTokens() {
        for (String word : List.of(" the", " of", " return", " because", "```")) {
            assertEquals(1, tokenizer.encode(word, false, false).getIds().length, word);
        }
    }

    @Test
    void mergesComeInTheOrderOfTheirFrequency() {
        int[] banana = ids("banana");
        List<int[]> words = List.of(banana, ids("bandana"), ids("nab"));
        // an: 2*3 + 2*2 = 10 times, then na+... once "an" is merged: b+an 3 + 2 = 5, an+an 3.
        var merges = new BpeTrainer(words, new long[] {3, 2, 1}).learn(256, 3);
        assertEquals(new BpeTrainer.Pair('a', 'n'), merges.get(0));
        assertEquals(new BpeTrainer.Pair('b', 256), merges.get(1));
        assertEquals(new BpeTrainer.Pair(256, 'a'), merges.get(2));
    }

    @Test
    void tooLittleTextForTheVocabularyIsAnError() {
        var trainer = new BpeTrainer(List.of(ids("abc")), new long[] {1});
        assertThrows(IllegalStateException.class, () -> trainer.learn(256, 3));
    }

    private static int[] ids(String word) {
        return word.chars().toArray();
    }
}
