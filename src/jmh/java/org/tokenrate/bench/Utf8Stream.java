package org.tokenrate.bench;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.tokenrate.tokenizer.StreamingDetokenizer;

/** Decodes token bytes as they come; the start of a character waits in {@code bytes}. */
final class Utf8Stream implements StreamingDetokenizer {
    private static final int MOST_BYTES = 64;

    private final byte[][] table;
    private final CharsetDecoder decoder =
            StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private final ByteBuffer bytes = ByteBuffer.allocate(MOST_BYTES);
    private final CharBuffer chars = CharBuffer.allocate(MOST_BYTES);

    Utf8Stream(byte[][] table) {
        this.table = table;
    }

    @Override
    public void append(int[] tokens, int count, StringBuilder out) {
        for (int i = 0; i < count; i++) {
            bytes.put(table[tokens[i]]);
            decode(false, out);
        }
    }

    @Override
    public void finish(StringBuilder out) {
        decode(true, out);
        decoder.reset();
    }

    private void decode(boolean end, StringBuilder out) {
        bytes.flip();
        decoder.decode(bytes, chars, end);
        bytes.compact();
        chars.flip();
        out.append(chars);
        chars.clear();
    }
}
