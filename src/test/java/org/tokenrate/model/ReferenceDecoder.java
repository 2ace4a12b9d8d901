package org.tokenrate.model;

/**
 * The Llama decoder as its equations say it, in double precision and plain loops: no batch, no
 * cache, no blocks. Everything is computed anew for each call.
 */
public final class ReferenceDecoder {
    private final RandomModel model;
    private final ModelConfig c;

    public ReferenceDecoder(RandomModel model) {
        this.model = model;
        this.c = model.config();
    }

    /** The logits that follow the last of the first {@code length} tokens. */
    public double[] logits(int[] tokens, int length) {
        double[][] x = new double[length][c.hiddenSize()];
        float[] embedding = model.weight("model.embed_tokens.weight");
        for (int t = 0; t < length; t++) {
            for (int i = 0; i < c.hiddenSize(); i++) {
                x[t][i] = embedding[tokens[t] * c.hiddenSize() + i];
            }
        }
        for (int layer = 0; layer < c.layers(); layer++) layer("model.layers." + layer, x);
        double[] last = norm(x[length - 1], model.weight("model.norm.weight"));
        String head = c.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
        return times(model.weight(head), last, c.vocabularySize());
    }

    private void layer(String name, double[][] x) {
        int length = x.length;
        double[][] q = new double[length][];
        double[][] k = new double[length][];
        double[][] v = new double[length][];
        for (int t = 0; t < length; t++) {
            double[] h = norm(x[t], model.weight(name + ".input_layernorm.weight"));
            q[t] = times(model.weight(name + ".self_attn.q_proj.weight"), h, c.queryWidth());
            k[t] = times(model.weight(name + ".self_attn.k_proj.weight"), h, c.kvWidth());
            v[t] = times(model.weight(name + ".self_attn.v_proj.weight"), h, c.kvWidth());
            turn(q[t], c.heads(), t);
            turn(k[t], c.kvHeads(), t);
        }
        for (int t = 0; t < length; t++) {
            double[] attended = attend(q[t], k, v, t);
            addTo(
                    x[t],
                    times(
                            model.weight(name + ".self_attn.o_proj.weight"),
                            attended,
                            c.hiddenSize()));
            double[] h = norm(x[t], model.weight(name + ".post_attention_layernorm.weight"));
            double[] gate =
                    times(model.weight(name + ".mlp.gate_proj.weight"), h, c.intermediateSize());
            double[] up =
                    times(model.weight(name + ".mlp.up_proj.weight"), h, c.intermediateSize());
            for (int i = 0; i < gate.length; i++)
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            addTo(x[t], times(model.weight(name + ".mlp.down_proj.weight"), gate, c.hiddenSize()));
        }
    }

    private double[] attend(double[] q, double[][] k, double[][] v, int t) {
        double[] out = new double[c.queryWidth()];
        int d = c.headDim();
        for (int h = 0; h < c.heads(); h++) {
            int g = h / (c.heads() / c.kvHeads());
            double[] score = new double[t + 1];
            double largest = Double.NEGATIVE_INFINITY;
            for (int u = 0; u <= t; u++) {
                for (int i = 0; i < d; i++) score[u] += q[h * d + i] * k[u][g * d + i];
                score[u] /= Math.sqrt(d);
                largest = Math.max(largest, score[u]);
            }
            double total = 0;
            for (int u = 0; u <= t; u++) total += score[u] = Math.exp(score[u] - largest);
            for (int u = 0; u <= t; u++) {
                for (int i = 0; i < d; i++) out[h * d + i] += score[u] / total * v[u][g * d + i];
            }
        }
        return out;
    }

    private void turn(double[] x, int heads, int position) {
        int d = c.headDim();
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < d / 2; i++) {
                double angle = position * Math.pow(c.ropeTheta(), -2.0 * i / d);
                double a = x[h * d + i];
                double b = x[h * d + i + d / 2];
                x[h * d + i] = a * Math.cos(angle) - b * Math.sin(angle);
                x[h * d + i + d / 2] = b * Math.cos(angle) + a * Math.sin(angle);
            }
        }
    }

    private double[] norm(double[] x, float[] weight) {
        double squares = 0;
        for (double value : x) squares += value * value;
        double scale = 1 / Math.sqrt(squares / x.length + c.rmsNormEps());
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) out[i] = x[i] * scale * weight[i];
        return out;
    }

    private static double[] times(float[] matrix, double[] x, int rows) {
        double[] out = new double[rows];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < x.length; i++) out[r] += matrix[r * x.length + i] * x[i];
        }
        return out;
    }

    private static void addTo(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) x[i] += y[i];
    }
}
