package org.tokenrate.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Tensor;
import org.tokenrate.device.cpu.CpuDevice;

/** A model on several ranks of the CPU device, each on a thread of its own. */
final class ShardedDecoder implements AutoCloseable {
    private final List<Device> devices;
    private final List<Decoder> decoders = new ArrayList<>();
    private final List<KvCache> caches = new ArrayList<>();
    private final ExecutorService pool;

    ShardedDecoder(
            List<Shard> shards,
            Checkpoint checkpoint,
            DType dtype,
            int threads,
            int maxTokens,
            int maxSamples,
            int blocks)
            throws IOException {
        devices = CpuDevice.ranks(dtype, threads, shards.size());
        pool = Executors.newFixedThreadPool(shards.size());
        for (Shard shard : shards) {
            Device device = devices.get(shard.rank());
            Decoder decoder = new Decoder(shard, checkpoint, device, maxTokens, maxSamples);
            decoders.add(decoder);
            caches.add(
                    device.newKvCache(
                            blocks,
                            KvCache.TILE_TOKENS,
                            shard.config().layers(),
                            decoder.shape().kvHeads(),
                            shard.config().headDim()));
        }
    }

    /** Bytes of weights on a rank. */
    long weightBytes(int rank) {
        return decoders.get(rank).weightBytes();
    }

    /** Runs an iteration on all ranks: the first one's logits of each sampled sequence. */
    List<float[]> logits(Batch batch) {
        List<CompletableFuture<Tensor>> all = new ArrayList<>();
        for (int r = 0; r < decoders.size(); r++) {
            int rank = r;
            all.add(
                    CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    return decoders.get(rank).logits(batch, caches.get(rank));
                                } catch (Throwable e) {
                                    devices.forEach(Device::abort);
                                    throw e;
                                }
                            },
                            pool));
        }
        Tensor logits = all.get(0).join();
        for (var rank : all) rank.join();
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < batch.sampleCount(); i++) rows.add(devices.get(0).read(logits, i));
        return rows;
    }

    @Override
    public void close() {
        pool.shutdown();
        devices.forEach(Device::close);
    }
}
