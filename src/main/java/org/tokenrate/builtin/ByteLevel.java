package org.tokenrate.builtin;

import java.util.regex.Pattern;

/**
 * How text becomes the units that a byte-level BPE works on: words by the regular expression of
 * Llama 3's tokenizer, and bytes written as printable characters as GPT-2's tokenizer does.
 */
final class ByteLevel {
    /** Goes into tokenizer.json as it is. */
    static final String WORDS =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
                    + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
                    + "|\\p{N}{1,3}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+"
                    + "|\\s+(?!\\S)"
                    + "|\\s+";

    /** The tokenizers library takes \s as Unicode's white space; Java does so only when asked. */
    static final Pattern WORD_PATTERN = Pattern.compile(WORDS, Pattern.UNICODE_CHARACTER_CLASS);

    static final int BYTES = 256;

    private ByteLevel() {}

    /**
     * The character that stands for each byte: itself where it is printable Latin-1, else the next
     * free one from U+0100 on.
     */
    static char[] symbols() {
        var symbols = new char[BYTES];
        char next = BYTES;
        for (int b = 0; b < BYTES; b++) {
            boolean printable = b > 0x20 && b < 0x7F || b > 0xA0 && b != 0xAD;
            symbols[b] = printable ? (char) b : next++;
        }
        return symbols;
    }
}
