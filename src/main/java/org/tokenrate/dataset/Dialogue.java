package org.tokenrate.dataset;

/**
 * The first two turns of a conversation.
 *
 * @param prompt what was asked
 * @param answer the real answer; only its length matters to a benchmark
 */
public record Dialogue(String prompt, String answer) {}
