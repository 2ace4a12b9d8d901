package org.tokenrate.dataset;

/** Minimal local version until the dataset part lands. */
public record SampledPrompt(int[] promptTokens, int answerTokens) {}
