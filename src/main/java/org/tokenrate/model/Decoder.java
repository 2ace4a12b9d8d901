package org.tokenrate.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;

/**
 * A decoder on a device: weights, buffers and one forward pass for every {@link Architecture},
 * whose differences are data.
 */
public final class Decoder {
    private final ModelConfig config;
    private final Device device;
    private final AttentionShape shape;
    private final Table embedding;
    private final Layer[] layers;
    private final Table finalNorm;
    private final Matrix head;

    // Activations, as large as the largest iteration.
    private final Tensor x; // [tokens, hidden] f32, the residual stream
    private final Tensor normed; // [tokens, hidden] dtype
    private final Tensor qkv; // [tokens, qkvWidth]
    private final Tensor attended; // [tokens, queryWidth] dtype
    private final Tensor gated; // [tokens, intermediate]
    private final Tensor activated; // [tokens, intermediate] dtype
    private final Tensor last; // [samples, hidden] dtype
    private final Tensor logits; // [samples, vocabulary] f32

    // The iteration under way; one object runs them all, so that none is made an iteration.
    private final Runnable operations = this::queueOperations;
    private Batch batch;
    private KvCache cache;

    private record Layer(
            int window,
            Table attentionNorm,
            Matrix qkv,
            Optional<HeadNorms> headNorms,
            Matrix output,
            Table mlpNorm,
            Matrix gate,
            Matrix up,
            Matrix down) {}

    /**
     * Loads the weights.
     *
     * @param maxTokens most tokens an iteration has
     * @param maxSamples most sequences an iteration has
     * @throws IOException if the checkpoint lacks a tensor, has one too many or of another shape
     */
    public Decoder(
            ModelConfig config, Checkpoint checkpoint, Device device, int maxTokens, int maxSamples)
            throws IOException {
        this.config = config;
        this.device = device;
        this.shape =
                new AttentionShape(
                        config.heads(),
                        config.kvHeads(),
                        config.headDim(),
                        config.rope(),
                        config.maxPositions());
        TensorNames names = config.architecture().names;
        Weights weights = new Weights(checkpoint);
        int hidden = config.hiddenSize();
        int vocabulary = config.vocabularySize();
        TensorData embed = weights.take(names.embedding(), vocabulary, hidden);
        embedding = device.loadTable(embed);
        layers = new Layer[config.layers()];
        for (int i = 0; i < layers.length; i++) layers[i] = layer(weights, names, i);
        finalNorm = device.loadTable(weights.take(names.finalNorm(), hidden));
        LinearData output =
                config.tiedEmbeddings()
                        ? new DenseData(embed)
                        : weights.linear(names.head(), vocabulary, hidden);
        head = device.loadMatrix(List.of(output), List.of());
        if (config.tiedEmbeddings()) weights.passOver(names.head() + ".weight");
        weights.checkAllTaken();

        x = device.newTensor(maxTokens, hidden);
        normed = device.newInput(maxTokens, hidden);
        qkv = device.newProduct(maxTokens, config.qkvWidth());
        attended = device.newInput(maxTokens, config.queryWidth());
        gated = device.newProduct(maxTokens, config.intermediateSize());
        activated = device.newInput(maxTokens, config.intermediateSize());
        last = device.newInput(maxSamples, hidden);
        logits = device.newTensor(maxSamples, config.vocabularySize());
    }

    private Layer layer(Weights weights, TensorNames names, int i) throws IOException {
        AttentionConfig attention = config.attention();
        int hidden = config.hiddenSize();
        int middle = config.intermediateSize();
        int dim = config.headDim();
        boolean bias = config.mlpBias();
        String layer = names.layer(i);
        Table attentionNorm = device.loadTable(weights.take(layer + names.attentionNorm(), hidden));
        Matrix qkv = qkv(weights, layer, names.qkv());
        Optional<HeadNorms> headNorms = Optional.empty();
        if (attention.headNorms()) {
            Table query = device.loadTable(weights.take(layer + names.queryNorm(), dim));
            Table key = device.loadTable(weights.take(layer + names.keyNorm(), dim));
            headNorms = Optional.of(new HeadNorms(query, key, config.rmsNormEps()));
        }
        return new Layer(
                attention.window().tokens(i),
                attentionNorm,
                qkv,
                headNorms,
                matrix(
                        weights,
                        layer + names.output(),
                        hidden,
                        config.queryWidth(),
                        attention.outputBias()),
                device.loadTable(weights.take(layer + names.mlpNorm(), hidden)),
                matrix(weights, layer + names.gate(), middle, hidden, bias),
                matrix(weights, layer + names.up(), middle, hidden, bias),
                matrix(weights, layer + names.down(), hidden, middle, bias));
    }

    private Matrix matrix(Weights weights, String name, int outputs, int inputs, boolean bias)
            throws IOException {
        return device.loadMatrix(
                List.of(weights.linear(name, outputs, inputs)),
                bias ? List.of(weights.bias(name, outputs)) : List.of());
    }

    private Matrix qkv(Weights weights, String layer, List<String> names) throws IOException {
        boolean bias = config.attention().qkvBias();
        int hidden = config.hiddenSize();
        if (names.size() == 1) { // the checkpoint holds the fused projection as we want it
            return matrix(weights, layer + names.get(0), config.qkvWidth(), hidden, bias);
        }
        int[] widths = {config.queryWidth(), config.kvWidth(), config.kvWidth()};
        List<LinearData> projections = new ArrayList<>();
        List<TensorData> biases = new ArrayList<>();
        for (int p = 0; p < widths.length; p++) {
            projections.add(weights.linear(layer + names.get(p), widths[p], hidden));
            if (bias) biases.add(weights.bias(layer + names.get(p), widths[p]));
        }
        return device.loadMatrix(
                byKvHead(projections, LinearData::slice), byKvHead(biases, TensorData::elements));
    }

    private interface Slicer<T> {
        T slice(T whole, long from, long to);
    }

    /**
     * The projections' outputs, KV head by KV head: its queries, its key, its value. So a part of
     * the fused product belongs to whole heads, and whoever made it can go on with it alone.
     */
    private <T> List<T> byKvHead(List<T> qkv, Slicer<T> slicer) {
        List<T> parts = new ArrayList<>();
        long dim = config.headDim();
        for (int h = 0; h < config.kvHeads() && !qkv.isEmpty(); h++) {
            for (int p = 0; p < qkv.size(); p++) {
                long width = p == 0 ? shape.group() * dim : dim;
                parts.add(slicer.slice(qkv.get(p), h * width, (h + 1) * width));
            }
        }
        return parts;
    }

    /** Runs one iteration: writes keys and values, and chooses the wanted tokens. */
    public void forward(Batch batch, KvCache cache, int[] chosen) {
        logits(batch, cache);
        if (batch.sampleCount() > 0) device.sample(logits, batch, chosen);
    }

    /** The iteration up to its logits: row i of the returned tensor is of sampled sequence i. */
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
            device.rmsNorm(x, layer.attentionNorm, eps, tokens, normed);
            device.linear(normed, layer.qkv, tokens, qkv, false);
            device.ropeAndStore(qkv, batch, cache, i, shape, layer.headNorms);
            device.attention(qkv, batch, cache, i, shape, layer.window, attended);
            device.linear(attended, layer.output, tokens, x, true);
            device.rmsNorm(x, layer.mlpNorm, eps, tokens, normed);
            device.gatedLinear(normed, layer.gate, layer.up, tokens, gated, activated);
            device.linear(activated, layer.down, tokens, x, true);
        }
        int samples = batch.sampleCount();
        if (samples > 0) {
            device.rmsNorm(x, batch.sampleRow, finalNorm, eps, samples, last);
            device.linear(last, head, samples, logits, false);
        }
    }

    public ModelConfig config() {
        return config;
    }

    public AttentionShape shape() {
        return shape;
    }

    /** Bytes of weights on the device. */
    public long weightBytes() {
        long bytes = embedding.bytes() + finalNorm.bytes() + head.bytes();
        for (Layer l : layers) {
            bytes += l.attentionNorm.bytes() + l.qkv.bytes() + l.output.bytes();
            bytes += l.headNorms.map(n -> n.query().bytes() + n.key().bytes()).orElse(0L);
            bytes += l.mlpNorm.bytes() + l.gate.bytes() + l.up.bytes() + l.down.bytes();
        }
        return bytes;
    }
}
