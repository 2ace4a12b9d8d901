package org.tokenrate.cli;

import java.util.Map;
import org.tokenrate.run.ParameterStyle;

/** The benchmark's parameters by LMDeploy's names. */
enum LmdeployStyle implements ParameterStyle {
    INSTANCE;

    private static final Map<String, String> NAMES =
            Map.ofEntries(
                    Map.entry("engine", "--engine"),
                    Map.entry("model", "MODEL_PATH"),
                    Map.entry("modelFormat", "--model-format"),
                    Map.entry("dataset", "DATASET"),
                    Map.entry("numPrompts", "--num-prompts"),
                    Map.entry("concurrency", "--concurrency"),
                    Map.entry("tp", "--tp"),
                    Map.entry("topK", "--top-k"),
                    Map.entry("topP", "--top-p"),
                    Map.entry("temperature", "--temperature"),
                    Map.entry("streamOutput", "--stream-output"),
                    Map.entry("seed", "--seed"),
                    Map.entry("cacheCount", "--cache-count"),
                    Map.entry("logLevel", "--log-level"),
                    Map.entry("dtype", "--dtype"),
                    Map.entry("sampling", "--sampling"));

    @Override
    public String given(String name, String value) {
        return NAMES.get(name) + " " + value;
    }

    @Override
    public String example(String name, String value) {
        return given(name, value);
    }
}
