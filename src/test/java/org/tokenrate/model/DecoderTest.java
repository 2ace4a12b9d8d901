package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.Tensor;
import org.tokenrate.device.cpu.CpuDevice;

/** The decoder on the CPU device against the equations. */
class DecoderTest {
    private static final int CONFIGURATIONS = 8;
    private static final int MAX_TOKENS = 300;

    /** Root mean square error over root mean square logit. */
    private static final double F32_BOUND = 2e-5;

    /** A bfloat16 keeps 8 bits: inputs of products and the cache are rounded by up to 2^-9 each. */
    private static final double BF16_BOUND = 3e-2;

    @ParameterizedTest
    @EnumSource
    void f32LogitsEqualTheEquationsWithinRounding(Architecture architecture) throws IOException {
        for (int i = 0; i < CONFIGURATIONS; i++) {
            compare(1000 + i, architecture, DType.F32, F32_BOUND);
        }
    }

    @ParameterizedTest
    @EnumSource
    void bf16LogitsEqualTheEquationsWithinItsRounding(Architecture architecture)
            throws IOException {
        assumeMultiplied(DType.BF16);
        for (int i = 0; i < CONFIGURATIONS; i++) {
            compare(2000 + i, architecture, DType.BF16, BF16_BOUND);
        }
    }

    static List<RopeScaling> scalings() {
        return List.of(
                RopeScaling.NONE,
                new RopeScaling.Linear(4),
                new RopeScaling.DynamicNtk(2, 70),
                new RopeScaling.DynamicNtk(1, 70),
                new RopeScaling.Llama3(8, 1, 4, 70));
    }

    /** Prompts below, at and above the trained length of 70, and answers that grow beyond it. */
    @ParameterizedTest
    @MethodSource("scalings")
    void contextsBeyondTheTrainedLengthAreScaledAsTheFormulasSay(RopeScaling scaling)
            throws IOException {
        long seed = 77;
        Random random = new Random(seed);
        ModelConfig config = with(RandomModel.llama(32, 2, 4, 2, 32, 48, 80, true), scaling);
        RandomModel model = new RandomModel(config, DType.F32, random);
        int[][] lengths = {{150, 150}, {150, 100}, {150, 40}, {71, 70}, {70, 70}, {60, 20}};
        int[][] tokens = new int[lengths.length][];
        int[] prompts = new int[lengths.length];
        int[] chunk = new int[lengths.length];
        for (int s = 0; s < lengths.length; s++) {
            tokens[s] = tokens(random, lengths[s][0], config.vocabularySize());
            prompts[s] = lengths[s][1];
            chunk[s] = 1 + random.nextInt(50);
        }
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            compareOne(model, device, tokens, prompts, chunk, F32_BOUND, scaling + " seed " + seed);
        }
    }

    /** Whether a prompt comes at once or again after preemption, in pieces, changes nothing. */
    @Test
    void chunksOfAPromptDoNotChangeDynamicScaling() throws IOException {
        long seed = 78;
        Random random = new Random(seed);
        ModelConfig config =
                with(
                        RandomModel.llama(32, 2, 4, 2, 32, 48, 80, true),
                        new RopeScaling.DynamicNtk(2, 40));
        RandomModel model = new RandomModel(config, DType.F32, random);
        int[] tokens = tokens(random, 120, config.vocabularySize());
        for (int chunk : new int[] {1, 13, 64, 120}) {
            try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
                compareOne(
                        model,
                        device,
                        new int[][] {tokens},
                        new int[] {90},
                        new int[] {chunk},
                        F32_BOUND,
                        "chunks of " + chunk + ", seed " + seed);
            }
        }
    }

    private static ModelConfig with(ModelConfig c, RopeScaling scaling) {
        return with(c, new Rope(c.rope().theta(), scaling), c.attention());
    }

    private static ModelConfig with(ModelConfig c, Rope rope, AttentionConfig attention) {
        return new ModelConfig(
                c.architecture(),
                c.hiddenSize(),
                c.layers(),
                attention,
                c.intermediateSize(),
                c.mlpBias(),
                c.vocabularySize(),
                c.maxPositions(),
                c.rmsNormEps(),
                rope,
                c.tiedEmbeddings(),
                c.eosTokens());
    }

    /**
     * Windows smaller than, as large as and larger than a block of 64; chunks that straddle them.
     */
    @ParameterizedTest
    @CsvSource({
        "1, 130, 130, F32",
        "2, 130, 16, F32",
        "16, 65, 65, F32",
        "63, 129, 129, F32",
        "64, 64, 64, F32",
        "64, 65, 1, F32",
        "64, 129, 7, F32",
        "64, 200, 200, BF16",
        "65, 129, 129, F32",
        "65, 130, 1, F32",
        "127, 256, 255, F32",
        "128, 257, 64, F32",
        "129, 257, 17, BF16",
        "300, 257, 257, F32",
    })
    void aTokenSeesItsWindowAndNoMore(int window, int length, int chunk, DType dtype)
            throws IOException {
        assumeMultiplied(dtype);
        long seed = 100L * window + length;
        Random random = new Random(seed);
        ModelConfig plain = RandomModel.llama(24, 3, 6, 2, 16, 40, 60, false);
        for (int first : new int[] {0, 1}) {
            AttentionConfig attention =
                    new AttentionConfig(
                            6, 2, 16, false, false, false, SlidingWindow.of(window, first, 3));
            RandomModel model =
                    new RandomModel(with(plain, plain.rope(), attention), dtype, random);
            try (CpuDevice device = new CpuDevice(dtype, 2)) {
                compareOne(
                        model,
                        device,
                        new int[][] {tokens(random, length, 60), tokens(random, 30, 60)},
                        new int[] {length, 30},
                        new int[] {chunk, 5},
                        dtype == DType.F32 ? F32_BOUND : BF16_BOUND,
                        "window from layer " + first + ", seed " + seed);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "63", "64", "65", "128", "129"})
    void lengthsAroundBlockBoundariesAreRight(int length) throws IOException {
        Random random = new Random(length);
        RandomModel model = new RandomModel(RandomModel.randomConfig(random), DType.F32, random);
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            int[] tokens = tokens(random, length, model.config().vocabularySize());
            compareOne(
                    model,
                    device,
                    new int[][] {tokens},
                    new int[] {length},
                    new int[] {length},
                    F32_BOUND,
                    "" + length);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, 1, 64, 64, F32",
        "2, 1, 64, 1, F32",
        "2, 1, 128, 60, BF16",
        "4, 1, 128, 128, F32",
        "4, 1, 64, 7, BF16",
        "2, 2, 65, 64, BF16",
        "6, 3, 64, 64, F32",
    })
    void tinyHeadsAreRightWhereTheContextFillsItsBlocks(
            int headDim, int heads, int length, int chunk, DType dtype) throws IOException {
        assumeMultiplied(dtype);
        long seed = 100L * headDim + length;
        Random random = new Random(seed);
        var config = RandomModel.llama(24, 2, heads, 1, headDim, 40, 60, false);
        RandomModel model = new RandomModel(config, dtype, random);
        try (CpuDevice device = new CpuDevice(dtype, 2)) {
            compareOne(
                    model,
                    device,
                    new int[][] {tokens(random, length, config.vocabularySize())},
                    new int[] {length},
                    new int[] {chunk},
                    dtype == DType.F32 ? F32_BOUND : BF16_BOUND,
                    "seed " + seed);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aContextOfManyBlocksIsRight(DType dtype) throws IOException {
        assumeMultiplied(dtype);
        long seed = 9;
        Random random = new Random(seed);
        var config = RandomModel.llama(32, 2, 4, 2, 16, 48, 80, true);
        RandomModel model = new RandomModel(config, dtype, random);
        try (CpuDevice device = new CpuDevice(dtype, 2)) {
            compareOne(
                    model,
                    device,
                    new int[][] {
                        tokens(random, 1000, config.vocabularySize()),
                        tokens(random, 20, config.vocabularySize())
                    },
                    new int[] {1000, 20},
                    new int[] {250, 3},
                    dtype == DType.F32 ? F32_BOUND : BF16_BOUND,
                    "seed " + seed);
        }
    }

    /** Lengths at a tile's and a block's boundary, about it, and between; whole and windowed. */
    @ParameterizedTest
    @CsvSource({"128, F32", "192, F32", "256, F32", "128, BF16", "256, BF16"})
    void largerBlocksGiveTheSameLogitsToTheLastBit(int block, DType dtype) throws IOException {
        assumeMultiplied(dtype);
        Random random = new Random(block);
        int[] lengths = {1, 63, 64, 65, 100, 127, 128, 129, 191, 192, 256, 257, 300};
        int[] chunk = new int[lengths.length];
        int[][] tokens = new int[lengths.length][];
        ModelConfig plain = RandomModel.llama(24, 2, 6, 2, 16, 40, 60, false);
        for (int s = 0; s < lengths.length; s++) {
            tokens[s] = tokens(random, lengths[s], plain.vocabularySize());
            chunk[s] = s % 3 == 0 ? 1 : 1 + random.nextInt(30);
        }
        AttentionConfig windowed =
                new AttentionConfig(6, 2, 16, false, false, false, SlidingWindow.of(70, 0, 2));
        for (AttentionConfig attention : List.of(plain.attention(), windowed)) {
            RandomModel model =
                    new RandomModel(with(plain, plain.rope(), attention), dtype, random);
            float[][] expected;
            try (CpuDevice device = new CpuDevice(dtype, 2)) {
                expected = logits(model, device, tokens, lengths, chunk, KvCache.TILE_TOKENS);
            }
            try (CpuDevice device = new CpuDevice(dtype, 2)) {
                float[][] got = logits(model, device, tokens, lengths, chunk, block);
                for (int s = 0; s < lengths.length; s++) {
                    assertArrayEquals(expected[s], got[s], lengths[s] + " tokens");
                }
            }
        }
    }

    /** A ragged batch of prompts, fed in random chunks, with random blocks of the cache. */
    private static void compare(long seed, Architecture architecture, DType dtype, double tolerance)
            throws IOException {
        Random random = new Random(seed);
        ModelConfig config = RandomModel.randomConfig(random, architecture);
        RandomModel model = new RandomModel(config, dtype, random);
        int threads = 1 + random.nextInt(3);
        try (CpuDevice device = new CpuDevice(dtype, threads)) {
            int sequences = 1 + random.nextInt(5);
            int[][] tokens = new int[sequences][];
            int[] prompts = new int[sequences];
            int[] chunk = new int[sequences];
            for (int s = 0; s < sequences; s++) {
                tokens[s] = tokens(random, 1 + random.nextInt(150), config.vocabularySize());
                prompts[s] = 1 + random.nextInt(tokens[s].length);
                chunk[s] = 1 + random.nextInt(60);
            }
            compareOne(
                    model,
                    device,
                    tokens,
                    prompts,
                    chunk,
                    tolerance,
                    "seed " + seed + " " + dtype + " " + config + " threads " + threads);
        }
    }

    private static void compareOne(
            RandomModel model,
            CpuDevice device,
            int[][] tokens,
            int[] prompts,
            int[] chunk,
            double tolerance,
            String what)
            throws IOException {
        float[][] logits = logits(model, device, tokens, prompts, chunk, KvCache.TILE_TOKENS);
        ReferenceDecoder reference = new ReferenceDecoder(model);
        for (int s = 0; s < tokens.length; s++) {
            double[] expected = reference.logits(tokens[s], tokens[s].length, prompts[s]);
            assertClose(expected, logits[s], tolerance, what + " sequence " + s);
        }
    }

    /** Logits of each sequence's last token; its tokens come chunk by chunk. */
    private static float[][] logits(
            RandomModel model,
            CpuDevice device,
            int[][] tokens,
            int[] prompts,
            int[] chunk,
            int blockTokens)
            throws IOException {
        ModelConfig config = model.config();
        Decoder decoder = new Decoder(config, model, device, MAX_TOKENS, tokens.length);
        KvCache cache =
                device.newKvCache(
                        64, blockTokens, config.layers(), config.kvHeads(), config.headDim());
        int[][] blocks = new int[tokens.length][];
        int nextBlock = 63;
        for (int s = 0; s < blocks.length; s++) {
            blocks[s] = new int[cache.blocksFor(tokens[s].length)];
            for (int i = 0; i < blocks[s].length; i++) blocks[s][i] = nextBlock--;
        }

        Batch batch = new Batch(MAX_TOKENS, tokens.length);
        int[] done = new int[tokens.length];
        float[][] all = new float[tokens.length][];
        boolean more = true;
        while (more) {
            batch.clear();
            more = false;
            int[] sampled = new int[tokens.length];
            for (int s = 0; s < tokens.length; s++) {
                int to = Math.min(tokens[s].length, done[s] + chunk[s]);
                if (to == done[s]) continue;
                batch.add(tokens[s], done[s], to, prompts[s], blocks[s]);
                sampled[batch.sampleCount()] = s;
                if (to == tokens[s].length) batch.sampleNext(1, 1, 1, 0);
                done[s] = to;
                more |= to < tokens[s].length;
            }
            Tensor logits = decoder.logits(batch, cache);
            for (int i = 0; i < batch.sampleCount(); i++) {
                all[sampled[i]] = device.read(logits, i);
            }
        }
        return all;
    }

    private static void assertClose(double[] expected, float[] got, double tolerance, String what) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(expected[i] - got[i], 2);
            size += Math.pow(expected[i], 2);
        }
        double ratio = Math.sqrt(error / size);
        assertTrue(ratio <= tolerance, "logits are off by a ratio of " + ratio + ": " + what);
    }

    private static int[] tokens(Random random, int count, int vocabulary) {
        return random.ints(count, 0, vocabulary).toArray();
    }
}
