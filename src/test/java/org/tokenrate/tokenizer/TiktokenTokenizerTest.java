package org.tokenrate.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.tokenizer.JsonTokenizerTest.assertRefused;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against OpenAI's tiktoken in Python; see {@link Fixture}. */
class TiktokenTokenizerTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"tiktoken-llama3, true, 256", "tiktoken-qwen, false, 208"})
    void textsAndTokensAreThoseOfTiktoken(String kind, boolean bos, int specials)
            throws IOException {
        Fixture expected = Fixture.read(kind);
        assertTrue(expected.encoded().size() > 100 && expected.decoded().size() > 100);
        try (Tokenizer tokenizer = load(kind)) {
            assertEquals(expected.size() + specials, tokenizer.vocabularySize());
            for (var pair : expected.encoded()) {
                int[] ids = tokenizer.encode(pair.text());
                IntStream before = bos ? IntStream.of(expected.size()) : IntStream.empty();
                int[] whole = IntStream.concat(before, IntStream.of(pair.ids())).toArray();
                assertArrayEquals(whole, ids, () -> "\"" + pair.text() + "\"");
            }
            for (var pair : expected.decoded()) {
                String ids = Arrays.toString(pair.ids());
                assertEquals(pair.text(), tokenizer.decode(pair.ids()), ids);
            }
        }
    }

    @Test
    void anyTextComesBack() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (Tokenizer tokenizer = load("tiktoken-llama3")) {
            for (int round = 0; round < 1000; round++) {
                String text = RandomText.of(random);
                String back = tokenizer.decode(tokenizer.encode(text));
                assertEquals(text, back, "seed " + seed + " \"" + text + "\"");
            }
        }
    }

    @Test
    void llama3sSpecialTokensAreThoseOfItsOwnCode() {
        List<String> specials = TiktokenFamily.llama3().specials();
        assertEquals(256, specials.size());
        // What Llama 3's tokenizer_config.json has at 128000 and on.
        assertEquals("<|begin_of_text|>", specials.get(0));
        assertEquals("<|end_of_text|>", specials.get(1));
        assertEquals("<|reserved_special_token_0|>", specials.get(2));
        assertEquals("<|start_header_id|>", specials.get(6));
        assertEquals("<|end_header_id|>", specials.get(7));
        assertEquals("<|eot_id|>", specials.get(9));
        assertEquals("<|reserved_special_token_5|>", specials.get(10));
        assertEquals("<|reserved_special_token_250|>", specials.get(255));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"add_bos_token":false}#
                    {"bos_token":"<|eot_id|>"}#503
                    {"add_eos_token":true}#494, 495
                    """)
    void theConfigDecidesOnTheTokensAroundAText(String config, String expected) throws IOException {
        Path copy = copy();
        Files.writeString(copy.resolve("tokenizer_config.json"), config);
        try (Tokenizer tokenizer = Tokenizers.load(copy)) {
            assertEquals(
                    "[" + (expected == null ? "" : expected) + "]",
                    Arrays.toString(tokenizer.encode("")));
        }
        Files.writeString(copy.resolve("tokenizer_config.json"), "{\"bos_token\":\"<s>\"}");
        assertRefused(copy, "adds \"<s>\", which is no special token of");
    }

    @Test
    void specialTokensGiveNoTextAndTextThatLooksLikeOneIsText() throws IOException {
        try (Tokenizer tokenizer = load("tiktoken-llama3")) {
            int[] ids = tokenizer.encode("<|eot_id|>");
            assertTrue(IntStream.of(ids).skip(1).allMatch(i -> i < 494));
            assertEquals("<|eot_id|>", tokenizer.decode(ids));
            assertEquals("A", tokenizer.decode(new int[] {494, 65, 503, 749, 750, -1}));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    3|Ag== 0|line 3 has the rank 0, as has a line before it
                    3|AQ==|line 3 has no space between token and rank
                    3|A*== 2|line 3 is not base64
                    3|AQ== 2|line 3 has the token of line 2
                    3|Ag== two|line 3 has the rank "two", no number from 0
                    3|Ag== -2|line 3 has the rank "-2", no number from 0
                    3|Ag== 99999999999999999999999999|line 3 has the rank "99999999999999999999…", no number
                    3|Ag== 100000|has 494 ranks, and rank 2 is not among them
                    3| 2|line 3 has an empty token
                    3|AgICAgIC 2|has no rank for the single byte 0x02
                    """)
    void aDamagedRankFileIsRefusedWithItsLine(int line, String content, String why)
            throws IOException {
        Path copy = copy();
        Path file = copy.resolve("tokenizer.model");
        var lines = new ArrayList<>(Files.readAllLines(file));
        lines.set(line - 1, content.equals("2") ? " 2" : content);
        Files.write(file, lines);
        assertRefused(copy, why);
    }

    @Test
    void anOverLongTokenIsRefused() throws IOException {
        Path copy = copy();
        Files.writeString(copy.resolve("tokenizer.model"), "A".repeat(4 * 4096) + " 0\n");
        assertRefused(copy, "line 1 has a token of 12288 bytes of at most 4096");
    }

    @Test
    void anOverLongFileIsRefusedUnread() throws IOException {
        Path copy = copy();
        try (var channel =
                FileChannel.open(copy.resolve("tokenizer.model"), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {'\n'}), TiktokenRanks.MAX_BYTES);
        }
        assertRefused(copy, "has 67108865 bytes; a rank file has at most 67108864");
    }

    @Test
    void aFileWithWindowsLineEndsIsTheSame() throws IOException {
        Path copy = copy();
        Path file = copy.resolve("tokenizer.model");
        Files.writeString(file, Files.readString(file).replace("\n", "\r\n"));
        try (Tokenizer tokenizer = Tokenizers.load(copy);
                Tokenizer original = load("tiktoken-llama3")) {
            assertArrayEquals(
                    original.encode("the quick brown"), tokenizer.encode("the quick brown"));
        }
    }

    @Test
    void aPointerOfGitLfsIsNamed() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer.model"),
                "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 2183982\n");
        assertRefused(folder, "is only Git LFS's pointer to the file");
        Files.writeString(folder.resolve("tokenizer.model"), "");
        assertRefused(folder, "tokenizer.model is empty");
    }

    @Test
    void randomlyDamagedRankFilesAreReadOrRefusedInOneSentence() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        byte[] good = Files.readAllBytes(copy().resolve("tokenizer.model"));
        int read = 0;
        for (int round = 0; round < 300; round++) {
            byte[] bad = good.clone();
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                byte[] alphabet = "Aa0+/= \n\r".getBytes(StandardCharsets.US_ASCII);
                bad[random.nextInt(bad.length)] = alphabet[random.nextInt(alphabet.length)];
            }
            Files.write(folder.resolve("tokenizer.model"), bad);
            try (Tokenizer tokenizer = Tokenizers.load(folder)) {
                String text = RandomText.of(random);
                assertEquals(text, tokenizer.decode(tokenizer.encode(text)), "seed " + seed);
                read++;
            } catch (IOException e) {
                assertEquals(1, e.getMessage().lines().count(), "seed " + seed + " " + e);
                assertTrue(e.getMessage().contains("tokenizer.model"), e.getMessage());
            }
        }
        assertTrue(read < 300, "seed " + seed);
    }

    private static Tokenizer load(String kind) throws IOException {
        return Tokenizers.load(JsonTokenizerTest.folder(kind));
    }

    private Path copy() throws IOException {
        Fixture.copy("tiktoken-llama3", "tokenizer.model", folder);
        return folder;
    }
}
