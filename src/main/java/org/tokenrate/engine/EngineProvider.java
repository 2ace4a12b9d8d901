package org.tokenrate.engine;

import java.io.IOException;

/** Opens one kind of engine; found by {@link java.util.ServiceLoader}, chosen by name. */
public interface EngineProvider {
    /** The name in {@code -p engine=NAME} or {@code -p engine=NAME:arguments}. */
    String name();

    /**
     * Checks what can be checked without loading a model, e.g. the arguments behind the name.
     *
     * @throws IllegalArgumentException with the value, the valid range and an example
     */
    void validate(EngineOptions options);

    /** Looks whether the engine can run on this machine; never fails, loads no model. */
    Diagnosis diagnose();

    /** Loads the model and starts the engine. */
    InferenceEngine open(EngineOptions options) throws IOException;

    /** The same for an engine that tells of its progress; others are silent. */
    default InferenceEngine open(EngineOptions options, LoadListener progress) throws IOException {
        return open(options);
    }
}
