package org.tokenrate.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;

/** A Llama decoder on a device: weights, buffers and one forward pass. */
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
    private final Tensor qkv; // [tokens, qkvWidth] f32
    private final Tensor attended; // [tokens, queryWidth] dtype
    private final Tensor gated; // [tokens, intermediate] f32
    private final Tensor activated; // [tokens, intermediate] dtype
    private final Tensor last; // [samples, hidden] dtype
    private final Tensor logits; // [samples, vocabulary] f32

    private record Layer(
            Table attentionNorm,
            Matrix qkv,
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
                        config.ropeTheta(),
                        config.maxPositions());
        Weights weights = new Weights(checkpoint);
        int hidden = config.hiddenSize();
        TensorData embed =
                weights.take("model.embed_tokens.weight", config.vocabularySize(), hidden);
        embedding = device.loadTable(embed);
        layers = new Layer[config.layers()];
        for (int i = 0; i < layers.length; i++) layers[i] = layer(weights, "model.layers." + i);
        finalNorm = device.loadTable(weights.take("model.norm.weight", hidden));
        head =
                device.loadMatrix(
                        List.of(
                                config.tiedEmbeddings()
                                        ? new DenseData(embed)
                                        : weights.linear(
                                                "lm_head", config.vocabularySize(), hidden)),
                        List.of());
        weights.checkAllTaken(config.tiedEmbeddings());

        x = device.newTensor(maxTokens, hidden);
        normed = device.newInput(maxTokens, hidden);
        qkv = device.newTensor(maxTokens, config.qkvWidth());
        attended = device.newInput(maxTokens, config.queryWidth());
        gated = device.newTensor(maxTokens, config.intermediateSize());
        activated = device.newInput(maxTokens, config.intermediateSize());
        last = device.newInput(maxSamples, hidden);
        logits = device.newTensor(maxSamples, config.vocabularySize());
    }

    private Layer layer(Weights weights, String name) throws IOException {
        int hidden = config.hiddenSize();
        int middle = config.intermediateSize();
        String attention = name + ".self_attn.";
        LinearData output = weights.linear(attention + "o_proj", hidden, config.queryWidth());
        LinearData gate = weights.linear(name + ".mlp.gate_proj", middle, hidden);
        LinearData up = weights.linear(name + ".mlp.up_proj", middle, hidden);
        LinearData down = weights.linear(name + ".mlp.down_proj", hidden, middle);
        return new Layer(
                device.loadTable(weights.take(name + ".input_layernorm.weight", hidden)),
                device.loadMatrix(
                        byKvHead(
                                weights.linear(attention + "q_proj", config.queryWidth(), hidden),
                                weights.linear(attention + "k_proj", config.kvWidth(), hidden),
                                weights.linear(attention + "v_proj", config.kvWidth(), hidden)),
                        List.of()),
                device.loadMatrix(List.of(output), List.of()),
                device.loadTable(weights.take(name + ".post_attention_layernorm.weight", hidden)),
                device.loadMatrix(List.of(gate), List.of()),
                device.loadMatrix(List.of(up), List.of()),
                device.loadMatrix(List.of(down), List.of()));
    }

    /**
     * The projections' rows, KV head by KV head: its queries, its key, its value. So a part of the
     * fused product belongs to whole heads, and whoever made it can go on with it alone.
     */
    private List<LinearData> byKvHead(LinearData q, LinearData k, LinearData v) {
        List<LinearData> parts = new ArrayList<>();
        long dim = config.headDim();
        long queries = shape.group() * dim;
        for (int h = 0; h < config.kvHeads(); h++) {
            parts.add(q.slice(h * queries, (h + 1) * queries));
            parts.add(k.slice(h * dim, (h + 1) * dim));
            parts.add(v.slice(h * dim, (h + 1) * dim));
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
        int tokens = batch.tokenCount();
        float eps = config.rmsNormEps();
        device.embed(embedding, batch.tokens, tokens, x);
        for (int i = 0; i < layers.length; i++) {
            Layer layer = layers[i];
            device.rmsNorm(x, layer.attentionNorm, eps, tokens, normed);
            device.linear(normed, layer.qkv, tokens, qkv, false);
            device.ropeAndStore(qkv, batch, cache, i, shape);
            device.attention(qkv, batch, cache, i, shape, attended);
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
        return logits;
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
            bytes += l.mlpNorm.bytes() + l.gate.bytes() + l.up.bytes() + l.down.bytes();
        }
        return bytes;
    }

    /** Hands out tensors and notes which: what is left over does not belong to this model. */
    private static final class Weights {
        private final Checkpoint checkpoint;
        private final Set<String> taken = new HashSet<>();

        Weights(Checkpoint checkpoint) {
            this.checkpoint = checkpoint;
        }

        TensorData take(String name, long... shape) throws IOException {
            taken.add(name);
            return checkpoint.tensor(name, shape);
        }

        LinearData linear(String name, long outputs, long inputs) throws IOException {
            taken.add(name + ".weight");
            return checkpoint.linear(name, outputs, inputs);
        }

        void checkAllTaken(boolean tied) throws IOException {
            for (String name : checkpoint.names()) {
                // Old checkpoints carry the rotary frequencies, tied ones the head: both derived.
                boolean derived =
                        name.endsWith(".rotary_emb.inv_freq")
                                || tied && name.equals("lm_head.weight");
                if (!taken.contains(name) && !derived) {
                    throw new IOException(
                            "the checkpoint has a tensor "
                                    + name
                                    + " that its config.json"
                                    + " has no place for");
                }
            }
        }
    }
}
