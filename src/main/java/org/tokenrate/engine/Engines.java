package org.tokenrate.engine;

import java.io.IOException;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The engines on the class path, by name. */
public final class Engines {
    private Engines() {}

    /** Fails early, before a model loads, on options that the named engine cannot take. */
    public static void validate(EngineOptions options) {
        provider(options).validate(options);
    }

    /** Opens the engine that {@code options.engine()} names. */
    public static InferenceEngine open(EngineOptions options) throws IOException {
        return open(options, LoadListener.NONE);
    }

    /** Opens the engine that {@code options.engine()} names, and tells how loading goes. */
    public static InferenceEngine open(EngineOptions options, LoadListener progress)
            throws IOException {
        return provider(options).open(options, progress);
    }

    private static EngineProvider provider(EngineOptions options) {
        var providers = new TreeMap<String, EngineProvider>();
        for (EngineProvider p : ServiceLoader.load(EngineProvider.class)) {
            providers.put(p.name(), p);
        }
        String name = options.engine().split(":", 2)[0];
        // No GPU engine yet: auto is the CPU.
        EngineProvider found = providers.get(name.equals("auto") ? "cpu" : name);
        if (found == null) {
            throw new IllegalArgumentException(
                    "engine="
                            + options.engine()
                            + " is not known; known are auto, "
                            + String.join(", ", providers.keySet()));
        }
        return found;
    }
}
