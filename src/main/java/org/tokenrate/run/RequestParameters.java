package org.tokenrate.run;

import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.tokenrate.dataset.DatasetName;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.model.ModelSource;

/**
 * One combination of the request-throughput benchmark's parameters, all of them valid. The
 * benchmark's fields document unit, meaning and range.
 */
public record RequestParameters(
        String engine,
        String model,
        String modelFormat,
        String dataset,
        int numPrompts,
        int concurrency,
        int tp,
        int topK,
        double topP,
        double temperature,
        boolean streamOutput,
        long seed,
        double cacheCount,
        String logLevel,
        String dtype,
        String sampling,
        boolean cudaGraphs) {
    static final String BUILTIN = ModelSource.BUILTIN;

    /** The parameters' names, in the order in which they are shown. */
    public static List<String> names() {
        return Arrays.stream(RequestParameters.class.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
    }

    /**
     * Reads and checks every value; loads nothing.
     *
     * @param text the value of a parameter by its name
     * @throws IllegalArgumentException for the first bad one, with its value, range and an example
     */
    public static RequestParameters of(UnaryOperator<String> text) {
        return of(text, ParameterStyle.JMH);
    }

    /** As above; errors name parameters in the given style. */
    public static RequestParameters of(UnaryOperator<String> text, ParameterStyle style) {
        var v = new Values(text, style);
        var p =
                new RequestParameters(
                        v.text("engine", "auto"),
                        v.text("model", BUILTIN),
                        v.oneOf("modelFormat", List.of("hf", "llama", "awq", "auto")),
                        v.text("dataset", DatasetName.BUILTIN),
                        v.integer("numPrompts", 1, 10_000_000, "1000"),
                        v.integer("concurrency", 1, 100_000, "16"),
                        v.powerOfTwo("tp", 64, "2"),
                        v.integer("topK", 0, 1_000_000, "40"),
                        v.number("topP", 0, false, 1, true, "0.8"),
                        v.number("temperature", 0, true, 100, true, "0.8"),
                        v.bool("streamOutput"),
                        v.wholeNumber("seed", "0"),
                        v.number("cacheCount", 0, false, 1, false, "0.5"),
                        v.oneOf("logLevel", List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE")),
                        v.oneOf("dtype", List.of("auto", "f32", "bf16", "f16")),
                        v.oneOf("sampling", List.of("shuffle", "presample")),
                        v.bool("cudaGraphs"));
        boolean made = p.model.equals(BUILTIN) || p.model.startsWith(ModelSource.RANDOM);
        if (!made && !Files.isDirectory(Path.of(p.model))) {
            throw v.bad(
                    "model",
                    "is not a folder; give builtin, random:SHAPE (such as random:llama2-7b), or a"
                            + " model's folder",
                    "models/my-llama");
        }
        p.checkDataset(v);
        Engines.validate(p.engineOptions());
        return p;
    }

    private void checkDataset(Values v) {
        String source;
        try {
            source = DatasetName.parse(dataset).source();
        } catch (IllegalArgumentException e) {
            throw v.bad("dataset", e.getMessage(), "random:512/128");
        }
        if (source.equals(DatasetName.BUILTIN)) return;
        Path file;
        try {
            file = Path.of(source);
        } catch (InvalidPathException e) {
            throw v.bad("dataset", "is no file's name", "data/sharegpt.json");
        }
        if (!Files.isReadable(file)) {
            throw v.bad(
                    "dataset",
                    "is not a readable file; give builtin, or a ShareGPT json file",
                    "data/ShareGPT_V3_unfiltered_cleaned_split.json");
        }
        if (Files.isDirectory(file)) {
            throw v.bad("dataset", "is a folder; give a file", "data/sharegpt.json");
        }
    }

    EngineOptions engineOptions() {
        return new EngineOptions(
                engine, model, modelFormat, dtype, tp, cacheCount, concurrency, cudaGraphs);
    }

    SamplingParams samplingParams() {
        return new SamplingParams(topK, (float) topP, (float) temperature, seed);
    }
}
