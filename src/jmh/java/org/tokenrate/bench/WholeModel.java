package org.tokenrate.bench;

import java.io.IOException;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/** A model on a device, with KV memory full of random keys and values: what iterations run on. */
final class WholeModel implements AutoCloseable {
    private final Device device;
    private final ModelConfig config;
    private final Decoder decoder;
    private final DeviceRun run;
    private final int[] chosen;

    /**
     * @param device closed with this
     * @param maxTokens most tokens of an iteration
     * @param sequences that have KV memory
     * @param context tokens of each
     * @throws IllegalArgumentException if the model has no such context, or memory is short
     */
    WholeModel(Device device, ModelSource source, int maxTokens, int sequences, int context)
            throws IOException {
        this.device = device;
        config = source.config();
        if (context > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a sequence of %d tokens exceeds the model's context of %d"
                            .formatted(context, config.maxPositions()));
        }
        int most = Math.max(maxTokens, sequences);
        try (Checkpoint checkpoint = source.open()) {
            decoder = new Decoder(config, checkpoint, device, most, sequences);
        }
        run = new DeviceRun(device, most, sequences);
        DeviceRun.Projection random = run.projection(decoder.shape());
        run.begin(decoder.shape(), config.layers(), sequences, context);
        random.fillCache(config.layers());
        chosen = new int[sequences];
    }

    DeviceRun run() {
        return run;
    }

    /** One iteration, to its tokens; returns when it is done. */
    int[] iterate(Batch batch) {
        decoder.forward(batch, run.cache(), chosen);
        run.await();
        return chosen;
    }

    /** Operations of the products of so many tokens, and of the logits of so many of them. */
    static double productFlops(ModelConfig config, long tokens, long samples) {
        double layer = LayerMatrix.layer(config).stream().mapToDouble(m -> m.flops(tokens)).sum();
        return config.layers() * layer + LayerMatrix.head(config).flops(samples);
    }

    /**
     * Operations of attention.
     *
     * @param scores pairs of a token and one that it sees
     */
    static double attentionFlops(ModelConfig config, long scores) {
        return 4.0 * config.layers() * config.heads() * config.headDim() * scores;
    }

    /** Bytes of all weights that an iteration reads. */
    double weightBytes() {
        return decoder.weightBytesRead();
    }

    /** Bytes of keys and values of a token in all layers. */
    double kvBytes() {
        return 2.0 * config.layers() * config.kvWidth() * device.dtype().bytes();
    }

    ModelConfig config() {
        return config;
    }

    @Override
    public void close() {
        run.close();
    }
}
