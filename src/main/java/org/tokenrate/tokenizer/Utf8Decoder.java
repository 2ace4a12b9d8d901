package org.tokenrate.tokenizer;

/**
 * UTF-8 that comes in pieces. A character cut off at a piece's end waits for the rest; what can be
 * no character becomes U+FFFD, one for each longest prefix of a character (Unicode 15, section 3.9,
 * "substitution of maximal subparts"), as Rust's {@code String::from_utf8_lossy} has it.
 */
final class Utf8Decoder {
    private static final char REPLACEMENT = '\ufffd';

    /** Bytes that the character begun still lacks, and its bits so far. */
    private int missing;

    private int bits;

    /** Range of the next continuation byte: narrower after E0, ED, F0 and F4. */
    private int low = 0x80;

    private int high = 0xbf;

    void decode(byte[] bytes, int from, int to, StringBuilder out) {
        for (int i = from; i < to; i++) {
            int b = bytes[i];
            if (missing == 0 && b >= 0) {
                out.append((char) b);
            } else {
                next(b & 0xff, out);
            }
        }
    }

    private void next(int b, StringBuilder out) {
        if (missing > 0 && b >= low && b <= high) {
            bits = bits << 6 | b & 0x3f;
            low = 0x80;
            high = 0xbf;
            if (--missing == 0) out.appendCodePoint(bits);
            return;
        }
        if (missing > 0) {
            finish(out);
        }
        if (b < 0x80) {
            out.append((char) b);
        } else if (b >= 0xc2 && b <= 0xdf) {
            begin(1, b & 0x1f, 0x80, 0xbf);
        } else if (b >= 0xe0 && b <= 0xef) {
            begin(2, b & 0x0f, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf);
        } else if (b >= 0xf0 && b <= 0xf4) {
            begin(3, b & 0x07, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf);
        } else {
            out.append(REPLACEMENT);
        }
    }

    private void begin(int missing, int bits, int low, int high) {
        this.missing = missing;
        this.bits = bits;
        this.low = low;
        this.high = high;
    }

    /** Gives up on a character that is cut off. */
    void finish(StringBuilder out) {
        if (missing > 0) out.append(REPLACEMENT);
        begin(0, 0, 0x80, 0xbf);
    }
}
