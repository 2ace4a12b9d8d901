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
import java.util.Properties;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.cpu.CpuDevice;
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
 * {@code engine=llamacpp[:THREADS][:slots=N][:context=N][:kv=f32]}: <a
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
            LlamaCppSettings settings = settings(options, config);
            requireKnown(options, json(config, settings));
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "model=%s with modelFormat=%s cannot be run: %s"
                            .formatted(options.model(), options.modelFormat(), e.getMessage()));
        }
        if (!hasNativeLibrary()) {
            throw new IllegalArgumentException(
                    "engine=%s cannot run: %s".formatted(options.engine(), diagnose().summary()));
        }
    }

    private static void requireKnown(EngineOptions options, ObjectNode config) {
        try {
            HfToGguf.requireKnown(config);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "model=%s cannot be run by engine=llamacpp: %s"
                            .formatted(options.model(), e.getMessage()));
        }
    }

    private static LlamaCppSettings settings(EngineOptions options, ModelConfig config) {
        double memory =
                ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                        ? (double) system.getTotalMemorySize()
                        : Double.MAX_VALUE;
        return LlamaCppSettings.of(
                options.engine(), config, options.maxBatchSize(), options.cacheCount() * memory);
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

    /** For auto what {@code engine=cpu} takes then, so that both read as many bytes. */
    private static GgufType matrices(String dtype) {
        return switch (dtype) {
            case "auto" -> GgufType.of(CpuDevice.preferredType());
            case "f32" -> GgufType.F32;
            case "bf16" -> GgufType.BF16;
            case "f16" -> GgufType.F16;
            default ->
                    throw new IllegalArgumentException(
                            "dtype=%s is not known to engine=llamacpp; use auto, f32, bf16 or f16"
                                    .formatted(dtype));
        };
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
        ModelSource source = ModelSource.of(options.model(), options.modelFormat());
        ModelConfig config = source.config();
        LlamaCppSettings settings = settings(options, config);
        ObjectNode json = json(config, settings);
        Path gguf;
        GgufType matrices = matrices(options.dtype());
        String sha256;
        try (Checkpoint checkpoint = source.open()) {
            sha256 = checkpoint.sha256();
            gguf = GgufCache.ofUser().file(json, checkpoint, matrices);
        }
        EngineInfo info =
                new EngineInfo(
                        name(),
                        settings.device(),
                        matrices.label(),
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
