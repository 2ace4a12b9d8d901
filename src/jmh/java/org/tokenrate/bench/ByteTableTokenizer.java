package org.tokenrate.bench;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.tokenrate.tokenizer.StreamingDetokenizer;
import org.tokenrate.tokenizer.Tokenizer;

/**
 * A byte-level vocabulary without a model: ids below 256 are single bytes, the rest are made-up
 * words of 1 to 8 bytes, some with multi-byte characters. Detokenizing it costs what it costs with
 * a real one of that kind, a table look-up and UTF-8 that may end in the middle of a character.
 */
final class ByteTableTokenizer implements Tokenizer {
    private static final String[] SYLLABLES = {
        " ", "the", "in", "er", "a", "s", "ou", "é", "中", "🙂"
    };
    private static final int BYTES = 256;

    private final byte[][] table;

    ByteTableTokenizer(int vocabularySize) {
        table = new byte[vocabularySize][];
        var random = new SplittableRandom(1);
        for (int id = 0; id < vocabularySize; id++) {
            table[id] = id < BYTES ? new byte[] {(byte) id} : word(random);
        }
    }

    private static byte[] word(SplittableRandom random) {
        // Most words are plain: of the ten syllables the last three are rare.
        String word = "";
        int syllables = 1 + random.nextInt(3);
        for (int i = 0; i < syllables; i++) {
            word += SYLLABLES[random.nextInt(20) == 0 ? 7 + random.nextInt(3) : random.nextInt(7)];
        }
        return word.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) ids[i] = Byte.toUnsignedInt(bytes[i]);
        return ids;
    }

    @Override
    public String decode(int[] tokens) {
        var out = new StringBuilder();
        StreamingDetokenizer detokenizer = newDetokenizer();
        detokenizer.append(tokens, tokens.length, out);
        detokenizer.finish(out);
        return out.toString();
    }

    @Override
    public int vocabularySize() {
        return table.length;
    }

    @Override
    public StreamingDetokenizer newDetokenizer() {
        return new Utf8Stream(table);
    }

    @Override
    public void close() {}
}
