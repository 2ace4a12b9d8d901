package org.tokenrate.tokenizer;

/**
 * SentencePiece's own decoding, as its {@code SentencePieceProcessor::Decode} has it: a leading
 * space of the first piece is dropped if the model put one before the text it encoded, and in a run
 * of byte tokens every byte that begins no character of UTF-8 is U+FFFD. (Hugging Face's decoders
 * give the whole run up: {@link ByteFallbackDetokenizer}.)
 */
final class SentencePieceDetokenizer implements StreamingDetokenizer {
    private static final char REPLACEMENT = '\ufffd';

    private final TokenTable table;
    private final TokenTable.Form.SentencePiece form;

    /** Pieces are whole characters: nothing ever waits in it. */
    private final Utf8Decoder decoder = new Utf8Decoder();

    /** Bytes of a character that is not complete. */
    private final byte[] run = new byte[4];

    private int runLength;

    /** No text was given yet, so that a piece's space is the one that encoding adds. */
    private boolean atStart = true;

    SentencePieceDetokenizer(TokenTable table, TokenTable.Form.SentencePiece form) {
        this.table = table;
        this.form = form;
    }

    @Override
    public void append(int[] tokens, int count, StringBuilder out) {
        for (int i = 0; i < count; i++) {
            int id = tokens[i];
            byte kind = table.kind(id);
            if (kind == TokenTable.BYTE) {
                run[runLength++] = table.byteOf(id);
                giveCharacters(false, out);
                continue;
            }
            giveCharacters(true, out);
            if (kind == TokenTable.NONE) continue;
            int dropped = kind == TokenTable.SPACED && atStart && form.dropsFirstSpace() ? 1 : 0;
            int before = out.length();
            table.decode(id, dropped, decoder, out);
            if (out.length() > before || dropped > 0 && !form.dropsAllSpaces()) atStart = false;
        }
    }

    @Override
    public void finish(StringBuilder out) {
        giveCharacters(true, out);
        atStart = true;
    }

    private void giveCharacters(boolean all, StringBuilder out) {
        while (runLength > 0) {
            int length = length(run[0]);
            if (runLength < length && !all) return;
            int character = runLength < length ? -1 : character(length);
            if (character < 0) {
                out.append(REPLACEMENT);
                length = 1;
            } else {
                out.appendCodePoint(character);
            }
            atStart = false;
            runLength -= length;
            System.arraycopy(run, length, run, 0, runLength);
        }
    }

    /** How many bytes a character has that begins so; one for what begins none. */
    private static int length(byte first) {
        int b = first & 0xff;
        return b < 0xc2 || b > 0xf4 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    }

    /** The character that the first {@code length} bytes are, or -1. */
    private int character(int length) {
        if (length == 1) return run[0] >= 0 ? run[0] : -1;
        int bits = run[0] & 0x7f >>> length;
        for (int i = 1; i < length; i++) {
            if ((run[i] & 0xc0) != 0x80) return -1;
            bits = bits << 6 | run[i] & 0x3f;
        }
        boolean tooShort = length == 3 && bits < 0x800 || length == 4 && bits < 0x10000;
        boolean surrogate = bits >= Character.MIN_SURROGATE && bits <= Character.MAX_SURROGATE;
        return tooShort || surrogate || bits > Character.MAX_CODE_POINT ? -1 : bits;
    }
}
