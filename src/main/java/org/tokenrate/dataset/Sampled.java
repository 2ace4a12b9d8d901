package org.tokenrate.dataset;

import java.util.List;
import java.util.Map;

/**
 * The prompts of a workload, and what was seen on the way to them.
 *
 * @param prompts in the order in which they are submitted
 * @param drawn dialogues looked at
 * @param dropped how many of those were left out for each reason; a reason for none is not there
 */
public record Sampled(List<SampledPrompt> prompts, int drawn, Map<Drop, Integer> dropped) {}
