package org.tokenrate.dataset;

/** Where a dialogue's two JSON strings lie in the file. */
record DialogueSpan(Span prompt, Span answer) {

    /**
     * One JSON string.
     *
     * @param at byte offset of its opening quote
     * @param bytes from there to the next token: the string, and what stands between the two
     */
    record Span(long at, int bytes) {}
}
