package org.tokenrate.dataset;

/**
 * A prompt chosen for a workload.
 *
 * @param datasetIndex of its dialogue, in {@link ShareGptDataset#dialogue}
 * @param prompt its text
 * @param promptTokens its token ids, special tokens included
 * @param answerTokens length of the real answer in tokens, special tokens included: what to
 *     generate
 */
public record SampledPrompt(
        int datasetIndex, String prompt, int[] promptTokens, int answerTokens) {}
