package org.tokenrate.model;

import java.util.Arrays;
import org.tokenrate.device.RopeScaling;

/**
 * The decoder as its equations say it, in double precision and plain loops: no batch, no cache, no
 * blocks. Everything is computed anew for each call. The formulas are written as transformers
 * writes them, not as the main code does.
 */
public final class ReferenceDecoder {
    private final RandomModel model;
    private final ModelConfig c;
    private final boolean internLm2;

    public ReferenceDecoder(RandomModel model) {
        this.model = model;
        this.c = model.config();
        this.internLm2 = c.architecture() == Architecture.INTERNLM2;
    }

    /** The logits that follow the last of the first {@code length} tokens, all of them prompt. */
    public double[] logits(int[] tokens, int length) {
        return logits(tokens, length, length);
    }

    /**
     * The logits that follow the last of the first {@code length} tokens.
     *
     * @param promptLength how many of them were prompt: matters to dynamic rope scaling
     */
    public double[] logits(int[] tokens, int length, int promptLength) {
        double[][] x = new double[length][c.hiddenSize()];
        String embeddingName = internLm2 ? "model.tok_embeddings" : "model.embed_tokens";
        float[] embedding = model.weight(embeddingName + ".weight");
        for (int t = 0; t < length; t++) {
            for (int i = 0; i < c.hiddenSize(); i++) {
                x[t][i] = embedding[tokens[t] * c.hiddenSize() + i];
            }
        }
        for (int layer = 0; layer < c.layers(); layer++) layer(layer, x, promptLength);
        double[] last = norm(x[length - 1], "model.norm");
        String head = internLm2 ? "output" : "lm_head";
        return linear(c.tiedEmbeddings() ? embeddingName : head, last, c.vocabularySize());
    }

    private void layer(int index, double[][] x, int promptLength) {
        String name = "model.layers." + index;
        int length = x.length;
        double[][] q = new double[length][c.queryWidth()];
        double[][] k = new double[length][c.kvWidth()];
        double[][] v = new double[length][c.kvWidth()];
        for (int t = 0; t < length; t++) {
            double[] h = norm(x[t], name + (internLm2 ? ".attention_norm" : ".input_layernorm"));
            project(name, h, q, k, v, t);
            if (c.architecture() == Architecture.QWEN3) {
                normHeads(q[t], name + ".self_attn.q_norm");
                normHeads(k[t], name + ".self_attn.k_norm");
            }
            turn(q[t], c.heads(), t, Math.max(promptLength, t + 1));
            turn(k[t], c.kvHeads(), t, Math.max(promptLength, t + 1));
        }
        int window = c.attention().window().tokens(index);
        String output = name + (internLm2 ? ".attention.wo" : ".self_attn.o_proj");
        String norm = name + (internLm2 ? ".ffn_norm" : ".post_attention_layernorm");
        String mlp = name + (internLm2 ? ".feed_forward." : ".mlp.");
        for (int t = 0; t < length; t++) {
            addTo(x[t], linear(output, attend(q[t], k, v, t, window), c.hiddenSize()));
            double[] h = norm(x[t], norm);
            double[] gate = linear(mlp + (internLm2 ? "w1" : "gate_proj"), h, c.intermediateSize());
            double[] up = linear(mlp + (internLm2 ? "w3" : "up_proj"), h, c.intermediateSize());
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            addTo(x[t], linear(mlp + (internLm2 ? "w2" : "down_proj"), gate, c.hiddenSize()));
        }
    }

    private void project(String name, double[] h, double[][] q, double[][] k, double[][] v, int t) {
        if (!internLm2) {
            q[t] = linear(name + ".self_attn.q_proj", h, c.queryWidth());
            k[t] = linear(name + ".self_attn.k_proj", h, c.kvWidth());
            v[t] = linear(name + ".self_attn.v_proj", h, c.kvWidth());
            return;
        }
        // rearrange(qkv, "(h gs d) -> h gs d"): the last two of each gs are the key and the value.
        double[] all = linear(name + ".attention.wqkv", h, c.qkvWidth());
        int d = c.headDim();
        int group = c.heads() / c.kvHeads();
        for (int g = 0; g < c.kvHeads(); g++) {
            int start = g * (group + 2) * d;
            System.arraycopy(all, start, q[t], g * group * d, group * d);
            System.arraycopy(all, start + group * d, k[t], g * d, d);
            System.arraycopy(all, start + (group + 1) * d, v[t], g * d, d);
        }
    }

    private double[] attend(double[] q, double[][] k, double[][] v, int t, int window) {
        double[] out = new double[c.queryWidth()];
        int d = c.headDim();
        for (int h = 0; h < c.heads(); h++) {
            int g = h / (c.heads() / c.kvHeads());
            double[] score = new double[t + 1];
            double largest = Double.NEGATIVE_INFINITY;
            for (int u = 0; u <= t; u++) {
                if (t - u >= window) continue;
                for (int i = 0; i < d; i++) score[u] += q[h * d + i] * k[u][g * d + i];
                score[u] /= Math.sqrt(d);
                largest = Math.max(largest, score[u]);
            }
            double total = 0;
            for (int u = 0; u <= t; u++) {
                score[u] = t - u >= window ? 0 : Math.exp(score[u] - largest);
                total += score[u];
            }
            for (int u = 0; u <= t; u++) {
                for (int i = 0; i < d; i++) out[h * d + i] += score[u] / total * v[u][g * d + i];
            }
        }
        return out;
    }

    private void turn(double[] x, int heads, int position, int length) {
        int d = c.headDim();
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < d / 2; i++) {
                double angle = position * frequency(i, length);
                double a = x[h * d + i];
                double b = x[h * d + i + d / 2];
                x[h * d + i] = a * Math.cos(angle) - b * Math.sin(angle);
                x[h * d + i + d / 2] = b * Math.cos(angle) + a * Math.sin(angle);
            }
        }
    }

    /** As transformers' modeling_rope_utils computes them. */
    private double frequency(int pair, int length) {
        double dim = c.headDim();
        double base = c.rope().theta();
        RopeScaling scaling = c.rope().scaling();
        if (scaling instanceof RopeScaling.DynamicNtk s) {
            double seqLen = Math.max(length, s.originalLength());
            base *=
                    Math.pow(
                            s.factor() * seqLen / s.originalLength() - (s.factor() - 1),
                            dim / (dim - 2));
        }
        double inverse = 1 / Math.pow(base, 2 * pair / dim);
        if (scaling instanceof RopeScaling.Linear s) return inverse / s.factor();
        if (scaling instanceof RopeScaling.Llama3 s) {
            double wavelength = 2 * Math.PI / inverse;
            if (wavelength < s.originalLength() / s.highFactor()) return inverse;
            if (wavelength > s.originalLength() / s.lowFactor()) return inverse / s.factor();
            double smooth =
                    (s.originalLength() / wavelength - s.lowFactor())
                            / (s.highFactor() - s.lowFactor());
            return (1 - smooth) * inverse / s.factor() + smooth * inverse;
        }
        return inverse;
    }

    private void normHeads(double[] x, String name) {
        int d = c.headDim();
        for (int at = 0; at < x.length; at += d) {
            double[] normed = norm(Arrays.copyOfRange(x, at, at + d), name);
            System.arraycopy(normed, 0, x, at, d);
        }
    }

    private double[] norm(double[] x, String name) {
        float[] weight = model.weight(name + ".weight");
        double squares = 0;
        for (double value : x) squares += value * value;
        double scale = 1 / Math.sqrt(squares / x.length + c.rmsNormEps());
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) out[i] = x[i] * scale * weight[i];
        return out;
    }

    private double[] linear(String name, double[] x, int rows) {
        float[] matrix = model.weight(name + ".weight");
        boolean biased = model.names().contains(name + ".bias");
        double[] out = new double[rows];
        for (int r = 0; r < rows; r++) {
            if (biased) out[r] = model.weight(name + ".bias")[r];
            for (int i = 0; i < x.length; i++) out[r] += matrix[r * x.length + i] * x[i];
        }
        return out;
    }

    private static void addTo(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) x[i] += y[i];
    }
}
