package org.tokenrate.engine;

import java.util.List;

/**
 * Whether an engine can run on this machine.
 *
 * @param ready whether it can
 * @param summary its device in words; or what is missing and how to get it
 * @param facts what else a user may want to know, a sentence each
 */
public record Diagnosis(boolean ready, String summary, List<String> facts) {}
