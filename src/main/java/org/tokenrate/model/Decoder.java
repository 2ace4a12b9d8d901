package org.tokenrate.model;

import java.io.IOException;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;
import org.tokenrate.model.ShardLoader.Layer;

/**
 * A decoder on a device: weights, buffers and one forward pass for every {@link Architecture},
 * whose differences are data. With tensor parallelism it is one rank's: it holds a {@link Shard},
 * and all ranks run the same iterations at the same time.
 */
public final class Decoder {
    private final ModelConfig config;
    private final Shard shard;
    private final Device device;
    private final AttentionShape shape;
    private final Table embedding;
    private final Layer[] layers;
    private final Table finalNorm;
    private final Matrix head;

    // Activations, as large as the largest iteration; heads, intermediate and rows of the
    // vocabulary are this rank's.
    private final Residual x; // [tokens, hidden]
    private final Tensor normed; // [tokens, hidden] dtype
    private final Tensor qkv; // [tokens, qkvWidth]
    private final Tensor attended; // [tokens, heads headDim] dtype
    private final Tensor gated; // [tokens, intermediate]
    private final Tensor activated; // [tokens, intermediate] dtype
    private final Tensor last; // [samples, hidden] dtype
    private final Tensor partOfLogits; // [samples, rows of the vocabulary] f32
    private final Tensor logits; // [samples, vocabulary] f32; of the first rank only

    // The iteration under way; one object runs them all, so that none is made an iteration.
    private final Runnable operations = this::queueOperations;
    private Batch batch;
    private KvCache cache;

    /** Loads all weights of a model. */
    public Decoder(
            ModelConfig config, Checkpoint checkpoint, Device device, int maxTokens, int maxSamples)
            throws IOException {
        this(Shard.whole(config), checkpoint, device, maxTokens, maxSamples);
    }

    /**
     * Loads a shard's weights.
     *
     * @param maxTokens most tokens an iteration has
     * @param maxSamples most sequences an iteration has
     * @throws IOException if the checkpoint lacks a tensor, has one too many or of another shape
     */
    public Decoder(Shard shard, Checkpoint checkpoint, Device device, int maxTokens, int maxSamples)
            throws IOException {
        this.shard = shard;
        this.device = device;
        config = shard.config();
        shape =
                new AttentionShape(
                        shard.heads().width(),
                        shard.kvHeads().width(),
                        config.headDim(),
                        config.rope(),
                        config.maxPositions());
        ShardLoader loader = new ShardLoader(shard, checkpoint, device);
        embedding = loader.embedding();
        layers = new Layer[config.layers()];
        for (int i = 0; i < layers.length; i++) layers[i] = loader.layer(i);
        finalNorm = loader.finalNorm();
        head = loader.head();
        loader.checkAllTaken();

        int hidden = config.hiddenSize();
        int middle = shard.middle().width();
        x = device.newResidual(maxTokens, hidden);
        normed = device.newInput(maxTokens, hidden);
        qkv = device.newProduct(maxTokens, shard.qkvWidth());
        attended = device.newInput(maxTokens, shape.heads() * shape.headDim());
        gated = device.newProduct(maxTokens, middle);
        activated = device.newInput(maxTokens, middle);
        last = device.newInput(maxSamples, hidden);
        partOfLogits = device.newTensor(maxSamples, shard.vocabulary().width());
        logits =
                shard.isFirst() && shard.ranks() > 1
                        ? device.newTensor(maxSamples, config.vocabularySize())
                        : partOfLogits;
    }

    /**
     * Runs one iteration: writes keys and values and, on the first rank, chooses the wanted tokens.
     */
    public void forward(Batch batch, KvCache cache, int[] chosen) {
        logits(batch, cache);
        if (shard.isFirst() && batch.sampleCount() > 0) device.sample(logits, batch, chosen);
    }

    /**
     * The iteration up to its logits: row i of what the first rank returns is of sampled sequence
     * i.
     */
    public Tensor logits(Batch batch, KvCache cache) {
        this.batch = batch;
        this.cache = cache;
        device.iteration(batch, cache, shape, operations);
        return logits;
    }

    private void queueOperations() {
        int tokens = batch.tokenCount();
        float eps = config.rmsNormEps();
        device.embed(embedding, batch.tokens, tokens, x);
        for (int i = 0; i < layers.length; i++) {
            Layer layer = layers[i];
            device.rmsNorm(x, layer.attentionNorm(), eps, tokens, normed);
            device.linear(normed, layer.qkv(), tokens, qkv);
            device.ropeAndStore(qkv, batch, cache, i, shape, layer.headNorms());
            device.attention(qkv, batch, cache, i, shape, layer.window(), attended);
            device.addLinear(attended, layer.output(), tokens, x);
            device.rmsNorm(x, layer.mlpNorm(), eps, tokens, normed);
            device.gatedLinear(normed, layer.gate(), layer.up(), tokens, gated, activated);
            device.addLinear(activated, layer.down(), tokens, x);
        }
        int samples = batch.sampleCount();
        if (samples > 0) {
            device.rmsNorm(x, batch.sampleRow, finalNorm, eps, samples, last);
            device.linear(last, head, samples, partOfLogits);
            device.gather(partOfLogits, samples, logits);
        }
    }

    public ModelConfig config() {
        return config;
    }

    /** The heads that are computed here. */
    public AttentionShape shape() {
        return shape;
    }

    /** Bytes of weights on this device. */
    public long weightBytes() {
        long bytes = embedding.bytes() + finalNorm.bytes() + head.bytes();
        for (Layer l : layers) bytes += l.bytes();
        return bytes;
    }

    /** Bytes of weights that an iteration reads: all but the embedding, of which it reads rows. */
    public long weightBytesRead() {
        return weightBytes() - embedding.bytes();
    }
}
