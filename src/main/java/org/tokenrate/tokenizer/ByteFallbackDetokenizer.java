package org.tokenrate.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * SentencePiece BPE with byte fallback, as Hugging Face's decoders have it: a run of byte tokens is
 * text if all of it is UTF-8, otherwise each of its bytes is U+FFFD. So a run waits for its end.
 */
final class ByteFallbackDetokenizer implements StreamingDetokenizer {
    private final TokenTable table;
    private final int leadingSpaces;
    private final Utf8Decoder decoder = new Utf8Decoder();
    private final CharsetDecoder strict = StandardCharsets.UTF_8.newDecoder();
    private ByteBuffer run = ByteBuffer.allocate(64);
    private CharBuffer runText = CharBuffer.allocate(64);
    private int spacesToCut;

    ByteFallbackDetokenizer(TokenTable table, int leadingSpaces) {
        this.table = table;
        this.leadingSpaces = leadingSpaces;
        this.spacesToCut = leadingSpaces;
    }

    @Override
    public void append(int[] tokens, int count, StringBuilder out) {
        int begin = out.length();
        for (int i = 0; i < count; i++) {
            int id = tokens[i];
            switch (table.kind(id)) {
                case TokenTable.TEXT -> {
                    endRun(out);
                    table.decode(id, decoder, out);
                }
                case TokenTable.BYTE -> addToRun(table.byteOf(id));
                default -> {}
            }
        }
        cutSpaces(out, begin);
    }

    @Override
    public void finish(StringBuilder out) {
        int begin = out.length();
        endRun(out);
        cutSpaces(out, begin);
        spacesToCut = leadingSpaces;
    }

    private void addToRun(byte b) {
        if (!run.hasRemaining()) {
            run = ByteBuffer.allocate(2 * run.capacity()).put(run.flip());
            runText = CharBuffer.allocate(run.capacity()); // no more characters than bytes
        }
        run.put(b);
    }

    private void endRun(StringBuilder out) {
        int length = run.position();
        if (length == 0) return;
        run.flip();
        runText.clear();
        if (strict.reset().decode(run, runText, true).isError()) {
            for (int i = 0; i < length; i++) out.append('\ufffd');
        } else {
            out.append(runText.flip());
        }
        run.clear();
    }

    /** Cuts spaces at the text's start, of which {@code begin} on is new. */
    private void cutSpaces(StringBuilder out, int begin) {
        if (spacesToCut == 0 || out.length() == begin) return;
        int end = begin;
        while (end < out.length() && end - begin < spacesToCut && out.charAt(end) == ' ') end++;
        spacesToCut = end == out.length() ? spacesToCut - (end - begin) : 0;
        out.delete(begin, end);
    }
}
