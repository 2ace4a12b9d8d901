package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.List;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;
import org.tokenrate.device.cuda.CudaDevices;
import org.tokenrate.device.cuda.CudaException;
import org.tokenrate.engine.Diagnosis;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.EngineProvider;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/** {@code engine=cuda}: NVIDIA's GPUs. Touches no CUDA library before it is asked for. */
public final class CudaEngineProvider implements EngineProvider {
    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public void validate(EngineOptions options) {
        refuseArguments(options.engine());
        try {
            CudaDevices.requireMultiplied(dtype(options.dtype()));
            int devices = CudaDevices.count();
            if (options.tp() > devices) {
                throw new IllegalArgumentException(
                        "tp=%d needs as many devices, but %d %s visible; use -p tp=%d"
                                .formatted(
                                        options.tp(),
                                        devices,
                                        devices == 1 ? "is" : "are",
                                        Integer.highestOneBit(devices)));
            }
            ModelSource source = ModelSource.of(options.model(), options.modelFormat());
            ModelConfig config = source.config();
            CudaDevices.requireKernels(
                    config.headDim(), List.of(config.hiddenSize(), config.intermediateSize()));
            source.shards(options.tp());
            requireColumns(options.tp(), config.intermediateSize());
        } catch (CudaException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "model=%s with modelFormat=%s cannot be run: %s"
                            .formatted(options.model(), options.modelFormat(), e.getMessage()));
        }
    }

    private static void refuseArguments(String engine) {
        if (!engine.startsWith("cuda:")) return;
        throw new IllegalArgumentException(
                "engine=%s: cuda takes no arguments; CUDA_VISIBLE_DEVICES chooses devices"
                        .formatted(engine));
    }

    /** The first device alone, without an engine on it. */
    static Device device(String engine, String dtype, boolean graphs) {
        refuseArguments(engine);
        CudaDevices.requireMultiplied(dtype(dtype));
        return CudaDevices.open(1, dtype(dtype), graphs).get(0);
    }

    /** Shards are cut at multiples of what kernels need, if there are as many for each rank. */
    private static void requireColumns(int ranks, int middle) {
        int most = middle / CudaDevices.ALIGNED;
        if (ranks <= most) return;
        throw new IllegalArgumentException(
                "tp=%d leaves a rank less than %d columns of the MLP's width of %d, and engine=cuda needs multiples of %d; use -p tp=%d"
                        .formatted(
                                ranks,
                                CudaDevices.ALIGNED,
                                middle,
                                CudaDevices.ALIGNED,
                                Integer.highestOneBit(most)));
    }

    private static DType dtype(String dtype) {
        return switch (dtype) {
            case "auto" -> CudaDevices.preferredType();
            case "f16" -> DType.F16;
            case "bf16" -> DType.BF16;
            case "f32" -> DType.F32;
            default ->
                    throw new IllegalArgumentException(
                            "dtype=%s is not known to engine=cuda; use auto, f16 or bf16"
                                    .formatted(dtype));
        };
    }

    @Override
    public Diagnosis diagnose() {
        CudaDevices.Survey survey = CudaDevices.survey();
        return new Diagnosis(survey.ready(), survey.summary(), survey.facts());
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
        return CudaDevices.open(options.tp(), dtype(options.dtype()), options.cudaGraphs());
    }
}
