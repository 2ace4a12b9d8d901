package org.tokenrate.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.tokenizer.JsonTokenizerTest.assertRefused;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models that nobody should trust. A fault that gets through to the native library ends this JVM.
 */
class DamagedSentencePieceTest {
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int BYTE = 6;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"sentencepiece-bpe", "sentencepiece-unigram", "sentencepiece-unigram-bytes"})
    void randomlyDamagedModelsAreReadOrRefusedInOneSentence(String kind) throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        byte[] good = Files.readAllBytes(JsonTokenizerTest.folder(kind).resolve("tokenizer.model"));
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 400; round++) {
            byte[] bad = damaged(good, random);
            Files.write(folder.resolve("tokenizer.model"), bad);
            try (Tokenizer tokenizer = Tokenizers.load(folder)) {
                int[] ids = tokenizer.encode(RandomText.of(random) + "ﬁ Ａ\u00a0\u200b <tool>");
                int size = tokenizer.vocabularySize();
                assertTrue(Arrays.stream(ids).allMatch(i -> i >= 0 && i < size), "seed " + seed);
                tokenizer.decode(ids);
                read++;
            } catch (IOException e) {
                assertEquals(1, e.getMessage().lines().count(), "seed " + seed + " " + e);
                assertTrue(e.getMessage().contains("tokenizer.model"), "seed " + seed + " " + e);
                refused++;
            }
        }
        assertTrue(read > 0 && refused > 0, "seed " + seed + " " + read + " " + refused);
    }

    private static byte[] damaged(byte[] good, Random random) {
        byte[] bad = good.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(bad.length);
            switch (random.nextInt(3)) {
                case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bad[at] = (byte) random.nextInt();
                default -> {
                    int length = Math.min(random.nextInt(8), bad.length - at);
                    System.arraycopy(bad, at, bad, random.nextInt(bad.length - length), length);
                }
            }
        }
        return random.nextInt(4) > 0 ? bad : Arrays.copyOf(bad, random.nextInt(bad.length) + 1);
    }

    @Test
    void theSmallestModelOfAllIsRead() throws IOException {
        write(model().message(1, piece("a", 0, NORMAL)));
        try (Tokenizer tokenizer = Tokenizers.load(folder)) {
            assertEquals(2, tokenizer.vocabularySize());
            // No piece for the space that stands before a text, and none to begin one.
            assertArrayEquals(new int[] {0, 1}, tokenizer.encode("a"));
        }
    }

    @Test
    void piecesThatNoModelHasAreRefusedByTheirNumber() throws IOException {
        refuse(piece("<unk>", 0, NORMAL), "piece 1 is the same as piece 0");
        refuse(piece("", 0, NORMAL), "piece 1 is empty");
        refuse(new ProtoWriter(), "piece 1 is empty");
        refuse(piece("a\0b", 0, NORMAL), "piece 1 holds U+0000");
        refuse(piece("ab".repeat(501), 0, NORMAL), "piece 1 has 1002 bytes of at most 1000");
        refuse(piece("a", Float.NaN, NORMAL), "piece 1 has the score NaN");
        refuse(piece("a", Float.NEGATIVE_INFINITY, NORMAL), "piece 1 has the score -Infinity");
        refuse(piece("a", 0, 7), "a piece is of the unknown type 7");
        refuse(piece("a", 0, UNKNOWN), "has 2 pieces for unknown characters and not one");
        refuse(piece("a", 0, BYTE), "piece 1 is no byte");
        refuse(piece("<0x41>", 0, BYTE), "has 1 byte pieces and byte_fallback=false");
        refuse(new ProtoWriter().bytes(1, new byte[] {(byte) 0xc3}), "is not UTF-8");
        refuse(new ProtoWriter().varint(1, 5), "field 1 is of kind 0 and not 2");
    }

    @Test
    void modelsThatAreNotKnownHereAreRefused() throws IOException {
        write(new ProtoWriter().message(1, piece("a", 0, NORMAL)));
        assertRefused(folder, "has 0 pieces for unknown characters and not one");
        write(model().message(2, new ProtoWriter().varint(3, 3)));
        assertRefused(folder, "is a SentencePiece model of type 3");
        write(model().message(2, new ProtoWriter().bool(35, true)));
        assertRefused(folder, "has 0 byte pieces and byte_fallback=true");
        write(model().message(2, new ProtoWriter().bool(24, true)));
        assertRefused(folder, "treats whitespace as a suffix");
        write(model().message(5, new ProtoWriter().bytes(2, new byte[] {1})));
        assertRefused(folder, "changes text as it decodes");
    }

    @Test
    void brokenWireFormatIsRefusedWithItsPlace() throws IOException {
        refuseBytes(
                "claims 18446744073709551615 bytes of 0 that are left",
                0x0a,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0x01);
        refuseBytes("near byte 2, field 1 claims 100 bytes of 1 that are left", 0x0a, 100, 0);
        refuseBytes(
                "a number has more than ten bytes",
                0x0a,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff,
                0xff);
        refuseBytes("field 1 is of kind 3 and not 2", 0x0b);
        refuseBytes("field 9 is of the unknown kind 3", 0x48, 1, 0x4b);
        refuseBytes("the tag 0 is none", 0);
        refuseBytes("the file is cut off", 0x4d, 0, 0);
        refuseBytes("no pieces", 0x48, 1);
    }

    @Test
    void anOverLongFileIsRefusedUnread() throws IOException {
        write(model());
        try (var channel =
                FileChannel.open(folder.resolve("tokenizer.model"), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[1]), SentencePieceModel.MAX_BYTES);
        }
        assertRefused(folder, "has 67108865 bytes; a SentencePiece model has at most 67108864");
    }

    @Test
    void normalizationRulesThatLeaveTheirTrieAreRefused() throws IOException {
        refuseRules(new byte[10], "has only 10 bytes");
        refuseRules(rules(2048, 0, "a\0"), "has a trie of 2048 bytes in");
        refuseRules(rules(1024, 0, "a"), "has a replacement without an end");
        refuseRules(rules(1024, 0, "\u00ff\0"), "has a replacement that is not UTF-8");
        refuseRules(
                rules(1024, 256 << 10, "a\0"), "has a node whose children are outside the trie");
        refuseRules(
                rules(1024, -1 & ~0xff, "a\0"), "has a node whose children are outside the trie");
        // A root with a leaf, which is the root's own unit here: far more than the replacements.
        refuseRules(rules(1024, 1 << 8, "a\0"), "has a leaf that points to no replacement");
    }

    /** A trie of one block, of which only the root is set. */
    private static byte[] rules(int length, int root, String texts) {
        // One byte a character, so that one can be no UTF-8.
        byte[] replacements = texts.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(4 + 1024 + replacements.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(length)
                .putInt(root)
                .position(4 + 1024)
                .put(replacements)
                .array();
    }

    private void refuseRules(byte[] rules, String why) throws IOException {
        write(model().message(3, new ProtoWriter().bytes(2, rules)));
        assertRefused(folder, "its precompiled_charsmap " + why);
    }

    private void refuse(ProtoWriter piece, String why) throws IOException {
        write(model().message(1, piece));
        assertRefused(folder, why);
    }

    private void refuseBytes(String why, int... bytes) throws IOException {
        var content = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) content[i] = (byte) bytes[i];
        Files.write(folder.resolve("tokenizer.model"), content);
        assertRefused(folder, why);
    }

    /** With the one piece that every model has. */
    private static ProtoWriter model() {
        return new ProtoWriter().message(1, piece("<unk>", 0, UNKNOWN));
    }

    private static ProtoWriter piece(String text, float score, int type) {
        return new ProtoWriter().string(1, text).fixed32(2, score).varint(3, type);
    }

    private void write(ProtoWriter model) throws IOException {
        Files.write(folder.resolve("tokenizer.model"), model.toBytes());
    }
}
