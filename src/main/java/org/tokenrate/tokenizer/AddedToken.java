package org.tokenrate.tokenizer;

/**
 * A token that a model folder adds to those of its tokenizer.
 *
 * @param special it gives no text
 */
record AddedToken(String content, boolean special) {}
