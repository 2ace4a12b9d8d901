package org.tokenrate.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/** A model of random weights in memory, as a checkpoint and as plain numbers. */
public final class RandomModel implements Checkpoint {
    private static final int SEVERAL_BLOCKS = 200;

    private final ModelConfig config;
    private final DType stored;
    private final Map<String, float[]> weights = new LinkedHashMap<>();
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    /** Weights are rounded to {@code stored}, so that both sides see the same numbers. */
    public RandomModel(ModelConfig config, DType stored, Random random) {
        this.config = config;
        this.stored = stored;
        for (ModelTensors.Entry tensor : ModelTensors.of(config)) {
            double mean = tensor.kind() == ModelTensors.Kind.NORM ? 1 : 0;
            double deviation =
                    switch (tensor.kind()) {
                        case EMBEDDING -> 1;
                        case LINEAR -> 1 / Math.sqrt(tensor.shape()[1]);
                        case BIAS -> 0.5;
                        case NORM -> 0.2;
                    };
            add(random, tensor.name(), mean, deviation, tensor.shape());
        }
    }

    /** A Llama without anything that is optional. */
    public static ModelConfig llama(
            int hiddenSize,
            int layers,
            int heads,
            int kvHeads,
            int headDim,
            int intermediateSize,
            int vocabularySize,
            boolean tiedEmbeddings) {
        return new ModelConfig(
                Architecture.LLAMA,
                hiddenSize,
                layers,
                AttentionConfig.plain(heads, kvHeads, headDim),
                intermediateSize,
                false,
                vocabularySize,
                1024,
                1e-5f,
                new Rope(10000f, RopeScaling.NONE),
                tiedEmbeddings,
                List.of(7));
    }

    /** A small Llama with any combination of what differs between Llamas. */
    public static ModelConfig randomConfig(Random random) {
        return randomConfig(random, Architecture.LLAMA);
    }

    /**
     * A small configuration with any combination of what differs between models of a family;
     * contexts beyond those trained on and windows begin well below 200 tokens.
     */
    public static ModelConfig randomConfig(Random random, Architecture architecture) {
        int layers = 1 + random.nextInt(3);
        RopeScaling scaling = randomScaling(random);
        return new ModelConfig(
                architecture,
                8 * (2 + random.nextInt(12)),
                layers,
                randomAttention(random, architecture, layers),
                8 * (3 + random.nextInt(20)) + random.nextInt(2) * 3,
                architecture == Architecture.LLAMA && random.nextBoolean(),
                50 + random.nextInt(300),
                context(scaling),
                1e-5f,
                new Rope(random.nextBoolean() ? 10000f : 500000f, scaling),
                random.nextBoolean(),
                List.of(1));
    }

    private static AttentionConfig randomAttention(
            Random random, Architecture architecture, int layers) {
        int[] headDims = {16, 32, 48, 64, 80, 96, 128};
        int kvHeads = 1 + random.nextInt(3);
        int group = new int[] {1, 2, 3, 4, 8}[random.nextInt(5)];
        int headDim = headDims[random.nextInt(headDims.length)];
        boolean bias = random.nextBoolean();
        int tokens = 1 + random.nextInt(SEVERAL_BLOCKS);
        SlidingWindow window = SlidingWindow.of(tokens, random.nextInt(3), layers);
        SlidingWindow everywhere = SlidingWindow.of(tokens, 0, layers);
        return switch (architecture) {
            case LLAMA, INTERNLM, INTERNLM2 ->
                    new AttentionConfig(
                            architecture == Architecture.INTERNLM ? kvHeads : kvHeads * group,
                            kvHeads,
                            headDim,
                            bias,
                            bias,
                            false,
                            SlidingWindow.NONE);
            case MISTRAL ->
                    new AttentionConfig(
                            kvHeads * group,
                            kvHeads,
                            headDim,
                            false,
                            false,
                            false,
                            bias ? everywhere : SlidingWindow.NONE);
            case QWEN2 ->
                    new AttentionConfig(
                            kvHeads * group, kvHeads, headDim, true, false, false, window);
            case QWEN3 ->
                    new AttentionConfig(
                            kvHeads * group, kvHeads, headDim, bias, bias, true, window);
        };
    }

    private static RopeScaling randomScaling(Random random) {
        double factor = new double[] {1.5, 2, 4}[random.nextInt(3)];
        int original = 2 * (8 + random.nextInt(60));
        return switch (random.nextInt(4)) {
            case 0 -> RopeScaling.NONE;
            case 1 -> new RopeScaling.Linear(factor);
            case 2 -> new RopeScaling.DynamicNtk(factor, original);
            default -> new RopeScaling.Llama3(4 * factor, 1, 4, original);
        };
    }

    /** As config.json would give it; see {@link HfFolder}. */
    private static int context(RopeScaling scaling) {
        if (scaling instanceof RopeScaling.DynamicNtk d) {
            return (int) (d.originalLength() * d.factor());
        }
        return scaling instanceof RopeScaling.Linear l ? (int) (512 * l.factor()) : 512;
    }

    public ModelConfig config() {
        return config;
    }

    /** The type that the weights are stored in. */
    public DType stored() {
        return stored;
    }

    /** A tensor's numbers, row-major. */
    public float[] weight(String name) {
        return weights.get(name);
    }

    public long[] shape(String name) {
        return shapes.get(name).clone();
    }

    private void add(Random random, String name, double mean, double deviation, long... shape) {
        float[] values =
                new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            float value = (float) (mean + deviation * random.nextGaussian());
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
