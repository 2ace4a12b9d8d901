package org.tokenrate.engine;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The engines on the class path, by name. */
public final class Engines {
    /** What {@code auto} tries, best first. */
    private static final List<String> BY_SPEED = List.of("cuda", "cpu");

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

    /** What each engine says of this machine, by name. */
    public static Map<String, Diagnosis> diagnose() {
        var all = new TreeMap<String, Diagnosis>();
        providers().forEach((name, provider) -> all.put(name, provider.diagnose()));
        return all;
    }

    /** What {@code auto} tries, best first. */
    public static List<String> bySpeed() {
        return BY_SPEED;
    }

    /** The engine that {@code auto} stands for: the first of {@link #BY_SPEED} that can run. */
    public static String auto() {
        Map<String, EngineProvider> providers = providers();
        return BY_SPEED.stream()
                .filter(
                        name ->
                                providers.containsKey(name)
                                        && providers.get(name).diagnose().ready())
                .findFirst()
                .orElse(BY_SPEED.get(BY_SPEED.size() - 1));
    }

    private static EngineProvider provider(EngineOptions options) {
        Map<String, EngineProvider> providers = providers();
        String name = options.engine().split(":", 2)[0];
        EngineProvider found = providers.get(name.equals("auto") ? auto() : name);
        if (found == null) {
            throw new IllegalArgumentException(
                    "engine="
                            + options.engine()
                            + " is not known; known are auto, "
                            + String.join(", ", providers.keySet()));
        }
        return found;
    }

    private static Map<String, EngineProvider> providers() {
        var providers = new TreeMap<String, EngineProvider>();
        for (EngineProvider p : ServiceLoader.load(EngineProvider.class)) {
            providers.put(p.name(), p);
        }
        return providers;
    }
}
