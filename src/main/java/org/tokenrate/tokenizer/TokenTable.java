package org.tokenrate.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The UTF-8 bytes of every token, back to back in one array, for the decoders in which a token's
 * bytes do not depend on its neighbours: byte-level BPE (GPT-2, Llama 3, Qwen) and SentencePiece
 * BPE with byte fallback (Llama 2, Mistral, Gemma).
 */
final class TokenTable {
    private final byte[] bytes;

    /** Token {@code id} is {@code bytes[starts[id]]} up to {@code bytes[starts[id + 1]]}. */
    private final int[] starts;

    private final byte[] kinds;
    private final Form form;

    /** How the tokens' bytes become text. */
    sealed interface Form {
        /**
         * Every token is some bytes, not whole characters: {@code String.from_utf8_lossy} of all.
         */
        record ByteLevel() implements Form {}

        /**
         * A token is whole characters or, as {@code <0x..>}, one byte.
         *
         * @param leadingSpaces how many spaces are cut off the text's start at most
         */
        record ByteFallback(int leadingSpaces) implements Form {}

        /**
         * As {@link ByteFallback}, by SentencePiece's own rules.
         *
         * @param dropsFirstSpace a text's first piece loses the space that encoding put before it
         * @param dropsAllSpaces so do all pieces as long as there is no text
         */
        record SentencePiece(boolean dropsFirstSpace, boolean dropsAllSpaces) implements Form {}
    }

    /** No text: special tokens and ids that no token has. */
    static final byte NONE = 0;

    static final byte TEXT = 1;

    /** A single byte of a character that the vocabulary lacks. */
    static final byte BYTE = 2;

    /** {@link #TEXT} that begins with SentencePiece's sign for a space (in its own form only). */
    static final byte SPACED = 3;

    private TokenTable(byte[] bytes, int[] starts, byte[] kinds, Form form) {
        this.bytes = bytes;
        this.starts = starts;
        this.kinds = kinds;
        this.form = form;
    }

    /** The table, if the vocabulary's decoder is one of the two that it can stand for. */
    static Optional<TokenTable> of(Vocabulary vocabulary) {
        return form(vocabulary.decoder()).map(form -> build(vocabulary, form));
    }

    private static TokenTable build(Vocabulary vocabulary, Form form) {
        int size = vocabulary.size(); // which looks at every id
        var table = new Builder(size, form);
        for (int id = 0; id < size; id++) {
            String piece = vocabulary.pieces().get(id);
            if (piece == null || vocabulary.specials().contains(piece)) {
                table.addNone();
            } else if (form instanceof Form.ByteLevel) {
                table.add(TEXT, byteLevel(piece));
            } else if (isByte(piece)) {
                table.add(BYTE, byteOf(piece));
            } else {
                table.add(TEXT, spaced(piece));
            }
        }
        return table.build();
    }

    /** Takes the tokens in the order of their ids. */
    static final class Builder {
        private final byte[] kinds;
        private final int[] starts;
        private final Form form;
        private byte[] bytes;
        private int size;

        Builder(int size, Form form) {
            this.kinds = new byte[size];
            this.starts = new int[size + 1];
            this.bytes = new byte[8 * size];
            this.form = form;
        }

        void addNone() {
            add(NONE);
        }

        void add(byte kind, byte... own) {
            int length = starts[size];
            if (length + own.length > bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * (length + own.length));
            }
            System.arraycopy(own, 0, bytes, length, own.length);
            kinds[size++] = kind;
            starts[size] = length + own.length;
        }

        TokenTable build() {
            return new TokenTable(Arrays.copyOf(bytes, starts[size]), starts, kinds, form);
        }
    }

    private static Optional<Form> form(JsonNode decoder) {
        if (isByteLevel(decoder)) return Optional.of(new Form.ByteLevel());
        if (!decoder.path("type").asText().equals("Sequence")) return Optional.empty();
        List<JsonNode> steps = new ArrayList<>();
        decoder.path("decoders").forEach(steps::add);
        if (steps.size() == 1 && isByteLevel(steps.get(0))) {
            return Optional.of(new Form.ByteLevel());
        }
        boolean fallback =
                (steps.size() == 3 || steps.size() == 4)
                        && restoresSpaces(steps.get(0))
                        && steps.get(1).path("type").asText().equals("ByteFallback")
                        && steps.get(2).path("type").asText().equals("Fuse");
        if (!fallback) return Optional.empty();
        if (steps.size() == 3) return Optional.of(new Form.ByteFallback(0));
        JsonNode strip = steps.get(3);
        boolean atStart =
                strip.path("type").asText().equals("Strip")
                        && strip.path("content").asText().equals(" ")
                        && strip.path("stop").asInt(-1) == 0;
        return atStart
                ? Optional.of(new Form.ByteFallback(strip.path("start").asInt()))
                : Optional.empty();
    }

    private static boolean isByteLevel(JsonNode decoder) {
        return decoder.path("type").asText().equals("ByteLevel");
    }

    private static boolean restoresSpaces(JsonNode decoder) {
        return decoder.path("type").asText().equals("Replace")
                && decoder.path("pattern").path("String").asText().equals("\u2581")
                && decoder.path("content").asText().equals(" ");
    }

    static byte[] spaced(String piece) {
        return piece.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }

    static boolean isByte(String piece) {
        return piece.matches("<0x[0-9a-fA-F]{2}>");
    }

    static byte byteOf(String piece) {
        return (byte) Integer.parseInt(piece.substring(3, 5), 16);
    }

    /**
     * The bytes that GPT-2's printable stand-ins mean; a piece with any other character is text.
     */
    private static byte[] byteLevel(String piece) {
        var own = new byte[piece.length()];
        for (int i = 0; i < own.length; i++) {
            int value = byteOfStandIn(piece.charAt(i));
            if (value < 0) return piece.getBytes(StandardCharsets.UTF_8);
            own[i] = (byte) value;
        }
        return own;
    }

    /** Printable Latin-1 stands for itself; U+0100 and on for the other 68 bytes in order. */
    private static int byteOfStandIn(char c) {
        if (standsForItself(c)) return c;
        int rank = c - 0x100;
        if (rank < 0 || rank > 67) return -1;
        int value = -1;
        while (rank >= 0) if (!standsForItself(++value)) rank--;
        return value;
    }

    private static boolean standsForItself(int c) {
        return c >= 0x21 && c <= 0x7e || c >= 0xa1 && c <= 0xac || c >= 0xae && c <= 0xff;
    }

    StreamingDetokenizer newDetokenizer() {
        if (form instanceof Form.ByteFallback fallback) {
            return new ByteFallbackDetokenizer(this, fallback.leadingSpaces());
        }
        if (form instanceof Form.SentencePiece sentencePiece) {
            return new SentencePieceDetokenizer(this, sentencePiece);
        }
        return new ByteLevelDetokenizer(this);
    }

    /** The text of all tokens. */
    String decode(int[] tokens) {
        var text = new StringBuilder();
        StreamingDetokenizer detokenizer = newDetokenizer();
        detokenizer.append(tokens, tokens.length, text);
        detokenizer.finish(text);
        return text.toString();
    }

    int size() {
        return kinds.length;
    }

    byte kind(int id) {
        return id >= 0 && id < kinds.length ? kinds[id] : NONE;
    }

    /** Feeds the token's bytes to {@code decoder}; its kind is not {@link #NONE}. */
    void decode(int id, Utf8Decoder decoder, StringBuilder out) {
        decode(id, 0, decoder, out);
    }

    /** Without the token's first {@code skipped} bytes. */
    void decode(int id, int skipped, Utf8Decoder decoder, StringBuilder out) {
        decoder.decode(bytes, starts[id] + skipped, starts[id + 1], out);
    }

    /** The byte that a token of kind {@link #BYTE} is. */
    byte byteOf(int id) {
        return bytes[starts[id]];
    }
}
