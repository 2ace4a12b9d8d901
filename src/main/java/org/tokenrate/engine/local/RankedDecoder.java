package org.tokenrate.engine.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.Shard;

/**
 * A model's decoder on all of its ranks: each has a device, a shard of the weights, the KV memory
 * of its heads and a thread. A KV block's number means the same tokens on every rank.
 */
public final class RankedDecoder implements AutoCloseable {
    /**
     * Tokens of a KV block: the fewest that there can be, as a sequence leaves half a block empty
     * on average.
     */
    public static final int BLOCK_TOKENS = KvCache.TILE_TOKENS;

    private final ModelConfig config;
    private final List<Device> devices;
    private final Decoder[] decoders;
    private final KvCache[] caches;
    private final RankThreads threads;

    // One iteration's; kept here, so that none has to be made for it.
    private final RankThreads.Task forward = this::forward;
    private Batch batch;
    private int[] chosen;

    /**
     * Loads each shard onto its device, all at the same time.
     *
     * @param devices closed with the decoder, but not if this fails
     * @param maxTokens most tokens an iteration has
     * @param maxSamples most sequences an iteration has
     * @throws IOException as {@link Decoder} says
     */
    public RankedDecoder(
            List<Shard> shards,
            Checkpoint checkpoint,
            List<Device> devices,
            int maxTokens,
            int maxSamples)
            throws IOException {
        if (devices.size() != shards.size()) {
            throw new IllegalArgumentException(
                    "%d devices for %d shards".formatted(devices.size(), shards.size()));
        }
        this.devices = List.copyOf(devices);
        config = shards.get(0).config();
        decoders = new Decoder[shards.size()];
        caches = new KvCache[shards.size()];
        batch = new Batch(0, 0);
        chosen = new int[0];
        threads = new RankThreads(shards.size(), () -> devices.forEach(Device::abort));
        try {
            threads.run(
                    r ->
                            decoders[r] =
                                    new Decoder(
                                            shards.get(r),
                                            checkpoint,
                                            devices.get(r),
                                            maxTokens,
                                            maxSamples));
        } catch (IOException | RuntimeException | Error e) {
            threads.close();
            throw e;
        }
    }

    ModelConfig config() {
        return config;
    }

    /** The devices in words, those that are alike but once. */
    String description() {
        return devices.stream()
                .map(Device::description)
                .distinct()
                .collect(Collectors.joining(" + "));
    }

    /** Bytes of weights on all devices. */
    long weightBytes() {
        return Arrays.stream(decoders).mapToLong(Decoder::weightBytes).sum();
    }

    /** Bytes of weights that an iteration reads on all devices. */
    public long weightBytesRead() {
        return Arrays.stream(decoders).mapToLong(Decoder::weightBytesRead).sum();
    }

    /** The heads that are a rank's. */
    public AttentionShape shape(int rank) {
        return decoders[rank].shape();
    }

    /** The KV memory of a rank's heads, once it is allocated. */
    public KvCache cache(int rank) {
        return caches[rank];
    }

    /** Bytes of a KV block on all devices. */
    public long kvBlockBytes() {
        long bytes = 0;
        for (int r = 0; r < decoders.length; r++) bytes += kvBlockBytes(r);
        return bytes;
    }

    private long kvBlockBytes(int rank) {
        AttentionShape shape = decoders[rank].shape();
        return devices.get(rank)
                .kvBlockBytes(BLOCK_TOKENS, config.layers(), shape.kvHeads(), shape.headDim());
    }

    /**
     * KV blocks that a ratio of the free memory holds, on the device that holds fewest.
     *
     * @throws IllegalArgumentException if there is none, with the numbers
     */
    int blocksFor(double ratio) {
        long fewest = Integer.MAX_VALUE / BLOCK_TOKENS;
        for (int r = 0; r < decoders.length; r++) {
            long free = devices.get(r).freeBytes();
            long bytes = kvBlockBytes(r);
            fewest = Math.min(fewest, (long) (free * ratio / bytes));
            if (fewest < 1) {
                throw new IllegalArgumentException(
                        ("cacheCount=%s of the %d MiB that are free holds no KV block of %d bytes;"
                                        + " raise cacheCount or, for engine=cpu, the heap (-Xmx)")
                                .formatted(ratio, free >> 20, bytes));
            }
        }
        return (int) fewest;
    }

    /** Makes the KV memory; before the first iteration. */
    public void allocate(int blocks) {
        run(
                r -> {
                    AttentionShape shape = decoders[r].shape();
                    caches[r] =
                            devices.get(r)
                                    .newKvCache(
                                            blocks,
                                            BLOCK_TOKENS,
                                            config.layers(),
                                            shape.kvHeads(),
                                            shape.headDim());
                });
    }

    /** One iteration; see {@link Decoder#forward}. */
    public void forward(Batch batch, int[] chosen) {
        this.batch = batch;
        this.chosen = chosen;
        run(forward);
    }

    private void forward(int rank) {
        decoders[rank].forward(batch, caches[rank], chosen);
    }

    private void run(RankThreads.Task task) {
        try {
            threads.run(task);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // no file is read after loading
        }
    }

    /** Ends the ranks' threads and frees their devices. Idempotent; no iteration runs. */
    @Override
    public void close() {
        threads.close();
        devices.forEach(Device::close);
    }
}
