package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;
import org.tokenrate.engine.local.RankedDecoder;

/**
 * A device with all that its operations need around them, as in an engine: batches, KV memory in
 * shuffled blocks, random inputs. First weights are loaded, then comes {@link #begin}, then
 * operations {@link #run}.
 */
final class DeviceRun implements AutoCloseable {
    /** What random tokens, the rows of random tables, are below. */
    static final int TOKENS = 64;

    /** The least head that every device has kernels for. */
    private static final int HEAD_DIM = 64;

    private static final float EPS = 1e-5f;

    private final Device device;
    private final int maxTokens;
    private final int maxSequences;
    private final int blockTokens;
    private final Tensor done;
    private AttentionShape shape = heads(1, 1, HEAD_DIM, 1);
    private KvCache cache;
    private int[][] blocks = new int[0][];
    private int[] tokens = new int[0];

    /** With KV blocks of the engine's size. */
    DeviceRun(Device device, int maxTokens, int maxSequences) {
        this(device, maxTokens, maxSequences, RankedDecoder.BLOCK_TOKENS);
    }

    /**
     * @param device closed with this
     * @param maxTokens most tokens of a batch
     * @param maxSequences most sequences of a batch
     * @param blockTokens tokens of a KV block
     */
    DeviceRun(Device device, int maxTokens, int maxSequences, int blockTokens) {
        this.device = device;
        this.maxTokens = maxTokens;
        this.maxSequences = maxSequences;
        this.blockTokens = blockTokens;
        done = device.newTensor(1, 8);
    }

    /** Heads of a Llama. */
    static AttentionShape heads(int heads, int kvHeads, int headDim, int context) {
        Rope rope = new Rope(10_000, RopeScaling.NONE);
        return new AttentionShape(heads, kvHeads, headDim, rope, context);
    }

    Device device() {
        return device;
    }

    AttentionShape shape() {
        return shape;
    }

    KvCache cache() {
        return cache;
    }

    /** Readies operations that need no more than a batch. */
    void begin() {
        begin(shape, 1, 1, maxTokens);
    }

    /**
     * Takes KV memory, once all weights are loaded.
     *
     * @param layers of the cache
     * @param sequences that are to have blocks
     * @param context tokens of each
     * @throws IllegalArgumentException if the device has not as much memory
     */
    void begin(AttentionShape shape, int layers, int sequences, int context) {
        requireFree(shape, layers, sequences, context);
        int count = Math.toIntExact(blocks(sequences, context));
        KvCache made =
                device.newKvCache(count, blockTokens, layers, shape.kvHeads(), shape.headDim());
        begin(made, shape, sequences, context);
    }

    /** KV blocks of so many sequences. */
    long blocks(int sequences, int context) {
        return (long) sequences * KvCache.blocksFor(context, blockTokens);
    }

    /**
     * @throws IllegalArgumentException if the device has not as much memory as {@link #begin} takes
     */
    void requireFree(AttentionShape shape, int layers, int sequences, int context) {
        long needed =
                blocks(sequences, context)
                        * device.kvBlockBytes(
                                blockTokens, layers, shape.kvHeads(), shape.headDim());
        if (needed > device.freeBytes()) {
            throw new IllegalArgumentException(
                    "%d sequences of %d tokens in %d layers need %d MiB of KV memory, and %d are free; give fewer or shorter ones"
                            .formatted(
                                    sequences,
                                    context,
                                    layers,
                                    needed / PartBenchmark.MIB,
                                    device.freeBytes() / PartBenchmark.MIB));
        }
    }

    /**
     * Takes KV memory that is there already.
     *
     * @param cache of as many {@link #blocks} as the sequences have
     */
    void begin(KvCache cache, AttentionShape shape, int sequences, int context) {
        this.cache = cache;
        this.shape = shape;
        int each = cache.blocksFor(context);
        Random random = new Random(1);
        // As in a pool from which sequences have come and gone.
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < sequences * each; i++) ids.add(i);
        Collections.shuffle(ids, random);
        blocks = new int[sequences][each];
        for (int i = 0; i < ids.size(); i++) blocks[i / each][i % each] = ids.get(i);
        tokens = random.ints(context, 0, TOKENS).toArray();
    }

    /** An empty batch. */
    Batch newBatch() {
        Batch batch = new Batch(maxTokens, maxSequences);
        batch.clear();
        return batch;
    }

    /** Adds random tokens of a sequence, at positions {@code from} to {@code to} (exclusive). */
    void add(Batch batch, int sequence, int from, int to) {
        batch.add(tokens, from, to, to, blocks[sequence]);
    }

    /** A batch of the first so many tokens of one sequence. */
    Batch prompt(int rows) {
        Batch batch = newBatch();
        add(batch, 0, 0, rows);
        return batch;
    }

    /** A batch of the last token of each sequence. */
    Batch lastTokens() {
        Batch batch = newBatch();
        for (int s = 0; s < blocks.length; s++) add(batch, s, tokens.length - 1, tokens.length);
        return batch;
    }

    /** Runs operations on a batch and waits for their end. */
    float[] run(Batch batch, Runnable operations) {
        device.iteration(batch, cache, shape, operations);
        return await();
    }

    /** Waits for the end of all that is queued. */
    float[] await() {
        return device.read(done, 0);
    }

    /** Makes random inputs of products, {@code [rows, columns]}, of a size that norms leave. */
    Noise noise(int columns) throws IOException {
        return new Noise(columns);
    }

    /** Random inputs; made while weights are loaded. */
    final class Noise {
        private final Table rows;
        private final Table norm;
        private final Residual x;
        private final Tensor input;

        private Noise(int columns) throws IOException {
            rows = device.loadTable(RandomWeights.numbers("noise", TOKENS, columns, 0, 1));
            norm = device.loadTable(RandomWeights.numbers("norm", 1, columns, 1, 0.1));
            x = device.newResidual(maxTokens, columns);
            input = device.newInput(maxTokens, columns);
        }

        /** Fills the input for a batch's tokens. */
        Tensor of(Batch batch) {
            run(batch, () -> queue(batch));
            return input;
        }

        /** The same, as operations of an iteration. */
        Tensor queue(Batch batch) {
            embed(batch);
            norm(batch.tokenCount());
            return input;
        }

        void embed(Batch batch) {
            device.embed(rows, batch.tokens, batch.tokenCount(), x);
        }

        void norm(int count) {
            device.rmsNorm(x, norm, EPS, count, input);
        }
    }

    /** Makes random queries, keys and values. */
    Projection projection(AttentionShape shape) throws IOException {
        return new Projection(shape);
    }

    /** A fused projection of noise to the heads; made while weights are loaded. */
    final class Projection {
        private final Noise noise = noise(TOKENS);
        private final Matrix matrix;
        private final Tensor qkv;

        private Projection(AttentionShape shape) throws IOException {
            int width = shape.kvHeads() * shape.columnsPerKvHead();
            matrix =
                    device.loadMatrix(
                            List.of(RandomWeights.dense("qkv", TOKENS, width)), List.of());
            qkv = device.newProduct(maxTokens, width);
        }

        /** {@code [tokens, kvHeads (group + 2) headDim]} for a batch's tokens. */
        Tensor of(Batch batch) {
            run(batch, () -> device.linear(noise.queue(batch), matrix, batch.tokenCount(), qkv));
            return qkv;
        }

        /** Writes random keys and values of all tokens of all sequences into the cache. */
        void fillCache(int layers) {
            Batch batch = newBatch();
            for (int s = 0; s < blocks.length; s++) {
                for (int from = 0; from < tokens.length; from += maxTokens) {
                    batch.clear();
                    add(batch, s, from, Math.min(from + maxTokens, tokens.length));
                    of(batch);
                    run(batch, () -> store(batch, layers));
                }
            }
        }

        private void store(Batch batch, int layers) {
            for (int i = 0; i < layers; i++) {
                device.ropeAndStore(qkv, batch, cache, i, shape, Optional.empty());
            }
        }
    }

    @Override
    public void close() {
        device.close();
    }
}
