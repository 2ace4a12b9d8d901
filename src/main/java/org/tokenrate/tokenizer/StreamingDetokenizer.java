package org.tokenrate.tokenizer;

/** Turns one answer's tokens to text as they come. Not thread-safe. */
public interface StreamingDetokenizer {
    /**
     * Appends to {@code out} the text that is now complete: a token that is part of a UTF-8
     * character waits for the rest. The concatenation of all appends and {@link #finish} equals
     * {@link Tokenizer#decode} of all tokens.
     */
    void append(int[] tokens, int count, StringBuilder out);

    /** Appends what still waits, broken characters as U+FFFD, and makes ready for a new answer. */
    void finish(StringBuilder out);
}
