package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.engine.local.RankedDecoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/** A model on its ranks, with KV memory full of random keys and values: what iterations run on. */
final class WholeModel implements AutoCloseable {
    private final ModelConfig config;
    private final RankedDecoder decoder;

    /** By rank; their batches are the same. */
    private final List<DeviceRun> runs = new ArrayList<>();

    private final int[] chosen;

    /**
     * @param devices one for each rank; closed with this
     * @param maxTokens most tokens of an iteration
     * @param sequences that have KV memory
     * @param context tokens of each
     * @throws IllegalArgumentException if the model has no such context, or memory is short
     */
    WholeModel(List<Device> devices, ModelSource source, int maxTokens, int sequences, int context)
            throws IOException {
        config = source.config();
        if (context > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a sequence of %d tokens exceeds the model's context of %d"
                            .formatted(context, config.maxPositions()));
        }
        int most = Math.max(maxTokens, sequences);
        try (Checkpoint checkpoint = source.open()) {
            decoder =
                    new RankedDecoder(
                            source.shards(devices.size()), checkpoint, devices, most, sequences);
        }
        for (Device device : devices) runs.add(new DeviceRun(device, most, sequences));
        fillCaches(sequences, context);
        chosen = new int[sequences];
    }

    private void fillCaches(int sequences, int context) throws IOException {
        int layers = config.layers();
        List<DeviceRun.Projection> random = new ArrayList<>();
        for (int r = 0; r < runs.size(); r++) {
            random.add(runs.get(r).projection(decoder.shape(r)));
        }
        // All before the first: ranks may have their memory in common.
        for (int r = 0; r < runs.size(); r++) {
            runs.get(r).requireFree(decoder.shape(r), layers, sequences, context);
        }
        decoder.allocate(Math.toIntExact(run().blocks(sequences, context)));
        for (int r = 0; r < runs.size(); r++) {
            runs.get(r).begin(decoder.cache(r), decoder.shape(r), sequences, context);
            random.get(r).fillCache(layers);
        }
    }

    /** Makes batches. */
    DeviceRun run() {
        return runs.get(0);
    }

    /** One iteration, to its tokens; returns when it is done. */
    int[] iterate(Batch batch) {
        decoder.forward(batch, chosen);
        for (DeviceRun run : runs) run.await();
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

    /** Bytes of all weights that an iteration reads, on all ranks together. */
    double weightBytes() {
        return decoder.weightBytesRead();
    }

    /** Bytes of keys and values of a token in all layers, on all ranks together. */
    double kvBytes() {
        return (double) decoder.kvBlockBytes() / RankedDecoder.BLOCK_TOKENS;
    }

    ModelConfig config() {
        return config;
    }

    @Override
    public void close() {
        decoder.close();
    }
}
