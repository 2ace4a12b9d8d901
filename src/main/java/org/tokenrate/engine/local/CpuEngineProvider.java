package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.List;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.Diagnosis;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.EngineProvider;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.model.ModelSource;

/** {@code engine=cpu} or {@code cpu:THREADS}. */
public final class CpuEngineProvider implements EngineProvider {
    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public void validate(EngineOptions options) {
        threads(options.engine());
        CpuDevice.requireMultiplied(dtype(options.dtype()));
        try {
            ModelSource.of(options.model(), options.modelFormat()).shards(options.tp());
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "model=%s with modelFormat=%s cannot be run: %s"
                            .formatted(options.model(), options.modelFormat(), e.getMessage()));
        }
    }

    /** The device alone, without an engine on it. */
    static Device device(String engine, String dtype) {
        CpuDevice.requireMultiplied(dtype(dtype));
        return new CpuDevice(dtype(dtype), threads(engine));
    }

    static int threads(String engine) {
        int cores = Runtime.getRuntime().availableProcessors();
        int colon = engine.indexOf(':');
        if (colon < 0) return cores;
        String threads = engine.substring(colon + 1);
        if (!threads.matches("[1-9][0-9]{0,2}") || Integer.parseInt(threads) > cores) {
            throw new IllegalArgumentException(
                    "engine=%s: the number of threads must be from 1 to %d, e.g. -p engine=cpu:1"
                            .formatted(engine, cores));
        }
        return Integer.parseInt(threads);
    }

    private static DType dtype(String dtype) {
        return switch (dtype) {
            case "auto" -> CpuDevice.preferredType();
            case "f32" -> DType.F32;
            case "bf16" -> DType.BF16;
            default ->
                    throw new IllegalArgumentException(
                            "dtype=%s is not known to engine=cpu; use auto, f32 or bf16"
                                    .formatted(dtype));
        };
    }

    @Override
    public Diagnosis diagnose() {
        try {
            return new Diagnosis(true, CpuDevice.here(), List.of(CpuDevice.types()));
        } catch (LinkageError e) { // the preset's loader has its own ways to fail
            return new Diagnosis(false, "oneDNN does not load: " + e.getMessage(), List.of());
        }
    }

    @Override
    public InferenceEngine open(EngineOptions options) throws IOException {
        return open(options, LoadListener.NONE);
    }

    @Override
    public InferenceEngine open(EngineOptions options, LoadListener progress) throws IOException {
        return LocalEngine.open(name(), devices(options), options, progress);
    }

    /** The devices of a model's ranks, without an engine on them. */
    List<Device> devices(EngineOptions options) {
        validate(options);
        return CpuDevice.ranks(dtype(options.dtype()), threads(options.engine()), options.tp());
    }
}
