package org.tokenrate.engine.llamacpp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import de.kherud.llama.LlamaModel;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.engine.Diagnosis;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.EngineProvider;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.gguf.ConfigJson;
import org.tokenrate.gguf.GgufType;
import org.tokenrate.gguf.HfToGguf;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/**
 * {@code engine=llamacpp[:THREADS][:slots=N][:context=N]}: <a
 * href="https://github.com/ggml-org/llama.cpp">llama.cpp</a> on the CPU, through its Java binding,
 * with the weights that the other engines have.
 */
public final class LlamaCppEngineProvider implements EngineProvider {
    /** The build that the pinned binding holds; a native library does not tell. */
    static final String BUILD = "b4916";

    @Override
    public String name() {
        return LlamaCppSettings.NAME;
    }

    @Override
    public void validate(EngineOptions options) {
        matrices(options.dtype());
        if (options.tp() != 1) {
            throw new IllegalArgumentException(
                    "tp=%d: engine=llamacpp has no tensor parallelism; use tp=1"
                            .formatted(options.tp()));
        }
        try {
            ModelSource source = ModelSource.of(options.model(), options.modelFormat());
            if (source.format() == ModelFormat.AWQ) {
                throw new IllegalArgumentException(
                        "modelFormat=awq: llama.cpp does not know AutoAWQ's 4 bits; use modelFormat=hf or llama");
            }
            ModelConfig config = source.config();
            HfToGguf.requireKnown(json(config, settings(options, config)));
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "model=%s with modelFormat=%s cannot be run: %s"
                            .formatted(options.model(), options.modelFormat(), e.getMessage()));
        }
    }

    private static LlamaCppSettings settings(EngineOptions options, ModelConfig config) {
        double memory =
                ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                        ? (double) system.getTotalMemorySize()
                        : Double.MAX_VALUE;
        return LlamaCppSettings.of(
                options.engine(),
                config,
                options.dtype().equals("f32"),
                options.maxBatchSize(),
                options.cacheCount() * memory);
    }

    /** Dynamic rope scaling, which llama.cpp does not have, does nothing to short contexts. */
    private static ObjectNode json(ModelConfig config, LlamaCppSettings settings) {
        ObjectNode json = ConfigJson.of(config);
        if (config.rope().scaling() instanceof RopeScaling.DynamicNtk dynamic
                && settings.context() <= dynamic.originalLength()) {
            json.remove("rope_scaling");
        }
        return json;
    }

    /** Empty for as they are stored. */
    private static Optional<GgufType> matrices(String dtype) {
        return dtype.equals("auto")
                ? Optional.empty()
                : Optional.of(GgufType.valueOf(dtype.toUpperCase(Locale.ROOT)));
    }

    @Override
    public Diagnosis diagnose() {
        return hasNativeLibrary()
                ? new Diagnosis(true, "llama.cpp " + BUILD + " on the CPU", List.of())
                : new Diagnosis(
                        false,
                        "this build has no llama.cpp for %s %s"
                                .formatted(
                                        System.getProperty("os.name"),
                                        System.getProperty("os.arch")),
                        List.of());
    }

    private static boolean hasNativeLibrary() {
        String system = System.getProperty("os.name");
        String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String path =
                "%s/%s/%s"
                        .formatted(
                                system.startsWith("Windows")
                                        ? "Windows"
                                        : system.replace("Mac OS X", "Mac"),
                                machine.equals("amd64") ? "x86_64" : machine,
                                System.mapLibraryName("jllama"));
        return LlamaModel.class.getResource(path) != null;
    }

    @Override
    public InferenceEngine open(EngineOptions options) throws IOException {
        validate(options);
        if (!hasNativeLibrary()) throw new IllegalArgumentException(diagnose().summary());
        ModelSource source = ModelSource.of(options.model(), options.modelFormat());
        ModelConfig config = source.config();
        LlamaCppSettings settings = settings(options, config);
        ObjectNode json = json(config, settings);
        Path gguf;
        String dtype = options.dtype();
        String sha256;
        try (Checkpoint checkpoint = source.open()) {
            if (dtype.equals("auto")) dtype = stored(config, checkpoint).label();
            sha256 = checkpoint.sha256();
            gguf = GgufCache.ofUser().file(json, checkpoint, matrices(options.dtype()));
        }
        EngineInfo info =
                new EngineInfo(
                        name(),
                        "CPU",
                        dtype,
                        1,
                        source.label(),
                        source.format().label(),
                        sha256,
                        0,
                        0,
                        0,
                        Files.size(gguf),
                        versions(settings));
        LlamaCppProcess process = LlamaCppProcess.start(gguf, config.vocabularySize(), settings);
        try {
            process.awaitReady();
            return new LlamaCppEngine(process, info, config.vocabularySize(), settings.context());
        } catch (IOException | RuntimeException | Error e) {
            process.close();
            throw e;
        }
    }

    private static DType stored(ModelConfig config, Checkpoint checkpoint) throws IOException {
        return checkpoint
                .tensor(
                        config.architecture().embedding(),
                        config.vocabularySize(),
                        config.hiddenSize())
                .type();
    }

    /** And how it is set up, without which a time of it says little. */
    private static Map<String, String> versions(LlamaCppSettings settings) throws IOException {
        Properties binding = new Properties();
        try (InputStream in =
                LlamaModel.class.getResourceAsStream(
                        "/META-INF/maven/de.kherud/llama/pom.properties")) {
            if (in != null) binding.load(in);
        }
        return Map.of(
                "llama.cpp", BUILD,
                "llama.cpp-binding", binding.getProperty("version", "unknown"),
                "llama.cpp-settings", settings.toString());
    }
}
