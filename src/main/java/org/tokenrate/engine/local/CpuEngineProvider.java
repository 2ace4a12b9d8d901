package org.tokenrate.engine.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.EngineProvider;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;

/** {@code engine=cpu} or {@code cpu:THREADS}. */
public final class CpuEngineProvider implements EngineProvider {
    private static final Logger LOG = LoggerFactory.getLogger(CpuEngineProvider.class);

    /**
     * Tokens of an iteration beyond one for each running sequence: prompts at the speed of large
     * products, without holding up those that decode for long.
     */
    private static final int PROMPT_TOKENS = 256;

    /** More sequences at once only cost memory for activations; the rest wait. */
    private static final int MAX_RUNNING = 512;

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public void validate(EngineOptions options) {
        threads(options.engine());
        if (options.tp() != 1) {
            throw new IllegalArgumentException(
                    "tp=" + options.tp() + " is not supported by engine=cpu yet; use -p tp=1");
        }
        if (!Set.of("hf", "auto").contains(options.modelFormat())) {
            throw new IllegalArgumentException(
                    "modelFormat=%s is not supported by engine=cpu yet; use -p modelFormat=hf"
                            .formatted(options.modelFormat()));
        }
        dtype(options.dtype());
        if (!options.model().equals("builtin") && !Files.isDirectory(Path.of(options.model()))) {
            throw new IllegalArgumentException(
                    "model=%s is not a folder; give builtin or a Hugging Face model folder"
                            .formatted(options.model()));
        }
    }

    private static int threads(String engine) {
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
    public InferenceEngine open(EngineOptions options) throws IOException {
        validate(options);
        boolean builtin = options.model().equals("builtin");
        Path folder = builtin ? Builtin.modelFolder() : Path.of(options.model());
        ModelConfig config = ModelConfig.read(folder);
        int maxRunning = Math.min(options.maxBatchSize(), MAX_RUNNING);
        int maxTokens = maxRunning + PROMPT_TOKENS;
        CpuDevice device = new CpuDevice(dtype(options.dtype()), threads(options.engine()));
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            Decoder decoder = new Decoder(config, checkpoint, device, maxTokens, maxRunning);
            long blockBytes =
                    device.kvBlockBytes(config.layers(), config.kvHeads(), config.headDim());
            int blocks = blocks(device.freeBytes(), options.cacheCount(), blockBytes);
            EngineInfo info =
                    new EngineInfo(
                            name(),
                            device.description(),
                            device.dtype().label(),
                            1,
                            builtin ? "builtin" : folder.toRealPath().getFileName().toString(),
                            "hf",
                            checkpoint.sha256(),
                            blocks,
                            KvCache.BLOCK_TOKENS,
                            blocks * blockBytes,
                            decoder.weightBytes(),
                            device.versions());
            LOG.info("{}", info);
            return new LocalEngine(device, decoder, blocks, info, maxTokens, maxRunning);
        } catch (IOException | RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    private static int blocks(long freeBytes, double ratio, long blockBytes) {
        long blocks = (long) (freeBytes * ratio / blockBytes);
        if (blocks < 1) {
            throw new IllegalArgumentException(
                    ("cacheCount=%s of the %d MiB that are free in the Java heap holds no KV block"
                                    + " of %d bytes; raise cacheCount or the heap (-Xmx)")
                            .formatted(ratio, freeBytes >> 20, blockBytes));
        }
        return (int) Math.min(blocks, Integer.MAX_VALUE / KvCache.BLOCK_TOKENS);
    }
}
