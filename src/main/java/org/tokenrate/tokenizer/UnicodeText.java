package org.tokenrate.tokenizer;

/** What every tokenizer needs of a text before it is bytes. */
final class UnicodeText {
    private static final int REPLACEMENT = 0xfffd;

    private UnicodeText() {}

    /**
     * The text with U+FFFD for each half of a surrogate pair that stands alone, as tiktoken has it:
     * UTF-8 has no bytes for one, and some libraries give up on all of the text.
     */
    static String withoutLoneSurrogates(String text) {
        return text.codePoints().anyMatch(UnicodeText::isSurrogate)
                ? text.codePoints()
                        .map(c -> isSurrogate(c) ? REPLACEMENT : c)
                        .collect(
                                StringBuilder::new,
                                StringBuilder::appendCodePoint,
                                StringBuilder::append)
                        .toString()
                : text;
    }

    private static boolean isSurrogate(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }
}
