package org.tokenrate.dataset;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.tokenizer.Tokenizer;

/** Minimal local version until the dataset part lands. */
public final class PromptSampler {
    private PromptSampler() {}

    public static List<SampledPrompt> sample(
            ShareGptDataset dataset,
            Tokenizer tokenizer,
            SamplingMethod method,
            int numPrompts,
            long seed) {
        if (dataset.size() < numPrompts) {
            throw new IllegalArgumentException(
                    "numPrompts=" + numPrompts + ", but only " + dataset.size() + " are usable");
        }
        var prompts = new ArrayList<SampledPrompt>();
        for (int i = 0; i < numPrompts; i++) {
            Dialogue d = dataset.dialogue(i);
            prompts.add(
                    new SampledPrompt(
                            tokenizer.encode(d.prompt()), tokenizer.encode(d.answer()).length));
        }
        return prompts;
    }
}
