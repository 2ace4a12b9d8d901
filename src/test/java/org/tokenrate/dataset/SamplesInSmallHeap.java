package org.tokenrate.dataset;

import java.nio.file.Path;

/** A JVM's main class: reads the file it is given and samples 1,000 prompts of it. */
final class SamplesInSmallHeap {
    public static void main(String[] args) throws Exception {
        try (var dataset = ShareGptDataset.open(Path.of(args[0]))) {
            var prompts =
                    PromptSampler.sample(
                            dataset, new SpaceTokenizer(), SamplingMethod.SHUFFLE, 1000, 0);
            System.out.println(dataset.size() + " conversations, " + prompts.size() + " sampled");
        }
    }
}
