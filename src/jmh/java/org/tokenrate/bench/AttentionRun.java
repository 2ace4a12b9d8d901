package org.tokenrate.bench;

import java.io.IOException;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Tensor;
import org.tokenrate.engine.local.LocalDevices;

/** Attention layers without the rest of a model, over a cache full of random keys and values. */
final class AttentionRun implements AutoCloseable {
    /** More would make blocks of a size that no array has. */
    private static final int MOST_LAYERS = 128;

    private final DeviceRun run;
    private final DeviceRun.Projection projection;
    private final AttentionShape shape;
    private final int layers;
    private final Tensor out;
    private Tensor qkv;

    /**
     * The shape that parameters ask for.
     *
     * @param heads query heads / KV heads
     * @param context most tokens of a sequence
     * @throws IllegalArgumentException if the text is not of that form
     */
    static AttentionShape shape(String heads, int headDim, int context) {
        if (!heads.matches("[1-9][0-9]{0,3}/[1-9][0-9]{0,3}")) {
            throw new IllegalArgumentException(
                    "heads=%s must be query heads / KV heads, e.g. -p heads=32/4".formatted(heads));
        }
        String[] both = heads.split("/");
        int query = Integer.parseInt(both[0]);
        int kv = Integer.parseInt(both[1]);
        if (query % kv != 0) {
            throw new IllegalArgumentException(
                    "heads=%s: the KV heads must divide the query heads, e.g. -p heads=32/4"
                            .formatted(heads));
        }
        if (headDim < 2 || headDim % 2 != 0 || headDim > 1024) {
            throw new IllegalArgumentException(
                    "headDim=%d must be even, from 2 to 1024, e.g. -p headDim=64"
                            .formatted(headDim));
        }
        return DeviceRun.heads(query, kv, headDim, context);
    }

    /**
     * @throws IllegalArgumentException unless KV blocks can be of so many tokens
     */
    static void requireBlock(int block) {
        if (block < KvCache.TILE_TOKENS || block % KvCache.TILE_TOKENS != 0) {
            throw new IllegalArgumentException(
                    "block=%d must be %d tokens or a multiple of them, e.g. -p block=%d"
                            .formatted(block, KvCache.TILE_TOKENS, 2 * KvCache.TILE_TOKENS));
        }
    }

    /**
     * As many layers as hold so many bytes of keys and values.
     *
     * @param block tokens of a KV block
     */
    static AttentionRun ofBytes(
            String engine,
            String dtype,
            AttentionShape shape,
            int block,
            int sequences,
            int context,
            int maxTokens,
            long bytes)
            throws IOException {
        Device device = LocalDevices.open(engine, dtype, false);
        long layer = (long) (bytesOfToken(device, shape) * sequences * context);
        int layers = Math.min(MOST_LAYERS, PartBenchmark.copies(bytes, layer));
        return new AttentionRun(device, shape, block, layers, sequences, context, maxTokens);
    }

    /**
     * @param device closed with this, or here if this fails
     * @param block tokens of a KV block
     */
    AttentionRun(
            Device device,
            AttentionShape shape,
            int block,
            int layers,
            int sequences,
            int context,
            int maxTokens)
            throws IOException {
        this.shape = shape;
        this.layers = layers;
        run = new DeviceRun(device, maxTokens, Math.max(sequences, maxTokens), block);
        projection = run.projection(shape);
        out = device.newInput(maxTokens, shape.heads() * shape.headDim());
        run.begin(shape, layers, sequences, context);
        projection.fillCache(layers);
    }

    DeviceRun run() {
        return run;
    }

    /** Makes the queries for a batch. */
    void project(Batch batch) {
        qkv = projection.of(batch);
    }

    /** Attention of a batch in every layer; returns when it is done. */
    float[] attend(Batch batch) {
        return run.run(batch, () -> queue(batch));
    }

    private void queue(Batch batch) {
        for (int i = 0; i < layers; i++) {
            run.device().attention(qkv, batch, run.cache(), i, shape, Integer.MAX_VALUE, out);
        }
    }

    /** Bytes of a token's key and value in one layer. */
    private static double bytesOfToken(Device device, AttentionShape shape) {
        return 2.0 * shape.kvHeads() * shape.headDim() * device.dtype().bytes();
    }

    /**
     * Operations of all layers.
     *
     * @param pairs of a query and a token that it sees, of each head
     */
    double flops(long pairs) {
        return 4.0 * layers * shape.heads() * shape.headDim() * pairs;
    }

    /** Bytes of the keys and values of so many tokens in all layers. */
    double bytes(long tokens) {
        return layers * bytesOfToken(run.device(), shape) * tokens;
    }

    @Override
    public void close() {
        run.close();
    }
}
