package org.tokenrate.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** A model of random weights in memory, as a checkpoint and as plain numbers. */
public final class RandomModel implements Checkpoint {
    private final ModelConfig config;
    private final DType stored;
    private final Map<String, float[]> weights = new TreeMap<>();
    private final Map<String, long[]> shapes = new TreeMap<>();

    /** Weights are rounded to {@code stored}, so that both sides see the same numbers. */
    public RandomModel(ModelConfig config, DType stored, Random random) {
        this.config = config;
        this.stored = stored;
        int hidden = config.hiddenSize();
        add(random, "model.embed_tokens.weight", 1, config.vocabularySize(), hidden);
        for (int i = 0; i < config.layers(); i++) {
            String layer = "model.layers." + i;
            add(random, layer + ".input_layernorm.weight", 0, hidden);
            add(random, layer + ".post_attention_layernorm.weight", 0, hidden);
            matrix(random, layer + ".self_attn.q_proj.weight", config.queryWidth(), hidden);
            matrix(random, layer + ".self_attn.k_proj.weight", config.kvWidth(), hidden);
            matrix(random, layer + ".self_attn.v_proj.weight", config.kvWidth(), hidden);
            matrix(random, layer + ".self_attn.o_proj.weight", hidden, config.queryWidth());
            matrix(random, layer + ".mlp.gate_proj.weight", config.intermediateSize(), hidden);
            matrix(random, layer + ".mlp.up_proj.weight", config.intermediateSize(), hidden);
            matrix(random, layer + ".mlp.down_proj.weight", hidden, config.intermediateSize());
        }
        add(random, "model.norm.weight", 0, hidden);
        if (!config.tiedEmbeddings()) {
            matrix(random, "lm_head.weight", config.vocabularySize(), hidden);
        }
    }

    /** A small configuration with any combination of the shapes that differ between models. */
    public static ModelConfig randomConfig(Random random) {
        int[] headDims = {16, 32, 48, 64, 80, 96, 128};
        int kvHeads = 1 + random.nextInt(3);
        int group = new int[] {1, 2, 3, 4, 8}[random.nextInt(5)];
        int headDim = headDims[random.nextInt(headDims.length)];
        return new ModelConfig(
                8 * (2 + random.nextInt(12)),
                1 + random.nextInt(3),
                kvHeads * group,
                kvHeads,
                headDim,
                8 * (3 + random.nextInt(20)) + random.nextInt(2) * 3,
                50 + random.nextInt(300),
                512,
                1e-5f,
                random.nextBoolean() ? 10000f : 500000f,
                random.nextBoolean(),
                List.of(1));
    }

    public ModelConfig config() {
        return config;
    }

    float[] weight(String name) {
        return weights.get(name);
    }

    long[] shape(String name) {
        return shapes.get(name).clone();
    }

    private void matrix(Random random, String name, int rows, int columns) {
        add(random, name, (float) (1 / Math.sqrt(columns)), rows, columns);
    }

    /** A tensor of normal numbers; a deviation of 0 makes a norm's weights, near 1. */
    private void add(Random random, String name, float deviation, long... shape) {
        float[] values =
                new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            double normal = random.nextGaussian();
            float value = (float) (deviation == 0 ? 1 + 0.2 * normal : deviation * normal);
            values[i] = stored == DType.BF16 ? toBf16AndBack(value) : value;
        }
        weights.put(name, values);
        shapes.put(name, shape);
    }

    private static float toBf16AndBack(float x) {
        int bits = Float.floatToRawIntBits(x);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }

    @Override
    public Set<String> names() {
        return weights.keySet();
    }

    @Override
    public TensorData tensor(String name, long... shape) {
        if (!Arrays.equals(shape, shapes.get(name))) {
            throw new AssertionError(name + " asked for as " + Arrays.toString(shape));
        }
        float[] values = weights.get(name);
        return new TensorData() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public DType type() {
                return stored;
            }

            @Override
            public long[] shape() {
                return shape;
            }

            @Override
            public ByteBuffer rows(long from, long to) {
                int length = Math.toIntExact(rowLength());
                ByteBuffer out =
                        ByteBuffer.allocateDirect((int) (to - from) * length * stored.bytes())
                                .order(ByteOrder.LITTLE_ENDIAN);
                for (int i = (int) from * length; i < to * length; i++) {
                    int bits = Float.floatToRawIntBits(values[i]);
                    if (stored == DType.BF16) out.putShort((short) (bits >>> 16));
                    else out.putInt(bits);
                }
                return out.flip();
            }
        };
    }

    @Override
    public String sha256() {
        return "";
    }

    @Override
    public void close() {}
}
