package org.tokenrate.engine.llamacpp;

import org.junit.jupiter.api.Assumptions;
import org.tokenrate.engine.Diagnosis;

/** Skips a test where the build has no llama.cpp for this machine. */
public final class LlamaCppRequired {
    private LlamaCppRequired() {}

    public static void orSkip() {
        Diagnosis here = new LlamaCppEngineProvider().diagnose();
        Assumptions.assumeTrue(here.ready(), here.summary());
    }
}
