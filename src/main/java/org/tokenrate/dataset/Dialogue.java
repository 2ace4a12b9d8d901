package org.tokenrate.dataset;

/** Minimal local version until the dataset part lands. */
public record Dialogue(String prompt, String answer) {}
