package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Tensor;
import org.tokenrate.model.Architecture;
import org.tokenrate.model.AttentionConfig;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.ReferenceDecoder;
import org.tokenrate.model.SlidingWindow;
import org.tokenrate.softgpu.OnSoftGpu;

/** The decoder's logits on the CUDA device against the equations, for every architecture. */
@OnSoftGpu
class CudaDecoderTest {
    /**
     * Root mean square error over root mean square logit: a bfloat16 keeps 8 bits, as for the CPU
     * ({@code DecoderTest}), a binary16 three more.
     */
    private static final Map<DType, Double> BOUND = Map.of(DType.BF16, 3e-2, DType.F16, 4e-3);

    private static final int MAX_TOKENS = 64;
    private static final int CHUNK = 40;

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (Architecture a : Architecture.values()) {
            cases.add(Arguments.of(a, DType.F16, 100L + a.ordinal()));
            cases.add(Arguments.of(a, DType.BF16, 200L + a.ordinal()));
        }
        return cases.stream();
    }

    /** Some configuration that there are kernels for. */
    private static ModelConfig config(Random random, Architecture architecture) {
        while (true) {
            ModelConfig c = RandomModel.randomConfig(random, architecture);
            boolean fits = HeadKernels.HEAD_SIZES.contains(c.headDim());
            if (fits && c.intermediateSize() % WeightLoader.ALIGNED == 0) return c;
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsEqualTheEquationsWithinRounding(Architecture architecture, DType dtype, long seed)
            throws Exception {
        Random random = new Random(seed);
        compare(config(random, architecture), dtype, seed, random);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 64})
    void aTokenSeesItsWindowAndNoMore(int window) throws Exception {
        ModelConfig plain = RandomModel.llama(64, 2, 4, 2, 64, 96, 211, false);
        SlidingWindow from = SlidingWindow.of(window, 1, 2);
        ModelConfig config =
                new ModelConfig(
                        Architecture.QWEN3,
                        plain.hiddenSize(),
                        plain.layers(),
                        new AttentionConfig(4, 2, 64, false, false, true, from),
                        plain.intermediateSize(),
                        false,
                        plain.vocabularySize(),
                        plain.maxPositions(),
                        plain.rmsNormEps(),
                        plain.rope(),
                        false,
                        plain.eosTokens());
        compare(config, DType.F16, window, new Random(window));
    }

    /** Prompts and answers that end at a tile's and a block's boundary, about it, and between. */
    @ParameterizedTest
    @ValueSource(ints = {128, 192})
    void largerBlocksGiveTheSameLogitsToTheLastBit(int block) throws Exception {
        Random random = new Random(block);
        ModelConfig config = RandomModel.llama(64, 2, 4, 2, 64, 96, 211, false);
        RandomModel model = new RandomModel(config, DType.BF16, random);
        int[] prompts = {126, 61, 128, 190};
        int[][] tokens = new int[prompts.length][];
        for (int s = 0; s < prompts.length; s++) {
            tokens[s] = random.ints(prompts[s] + 5, 0, config.vocabularySize()).toArray();
        }
        List<Row> expected;
        try (CudaDevice device = device(DType.BF16)) {
            expected = logits(model, device, tokens, prompts, KvCache.TILE_TOKENS);
        }
        try (CudaDevice device = device(DType.BF16)) {
            List<Row> got = logits(model, device, tokens, prompts, block);
            for (int i = 0; i < expected.size(); i++) {
                Row row = expected.get(i);
                assertArrayEquals(row.logits, got.get(i).logits, row.length + " tokens");
            }
            assertTrue(device.graphsPlayed() > 0);
        }
    }

    private static CudaDevice device(DType dtype) {
        return new CudaDevice(Gpu.all().get(0), dtype, RankLink.ALONE, true);
    }

    private static void compare(ModelConfig config, DType dtype, long seed, Random random)
            throws Exception {
        RandomModel model = new RandomModel(config, DType.BF16, random);
        int[] lengths = {75, 20, 3};
        int[] prompts = {71, 15, 1};
        int[][] tokens = new int[lengths.length][];
        for (int s = 0; s < tokens.length; s++) {
            int length = Math.min(lengths[s], config.maxPositions());
            tokens[s] = random.ints(length, 0, config.vocabularySize()).toArray();
        }
        String what = "seed %d: %s".formatted(seed, config);
        try (CudaDevice device = device(dtype)) {
            compare(model, device, tokens, prompts, what);
        }
    }

    private static void compare(
            RandomModel model, CudaDevice device, int[][] tokens, int[] prompts, String what)
            throws Exception {
        ReferenceDecoder reference = new ReferenceDecoder(model);
        double error = 0;
        double size = 0;
        for (Row row : logits(model, device, tokens, prompts, KvCache.TILE_TOKENS)) {
            int[] all = tokens[row.sequence];
            int prompt = Math.min(prompts[row.sequence], all.length);
            double[] expected = reference.logits(all, row.length, prompt);
            for (int v = 0; v < expected.length; v++) {
                error += (row.logits[v] - expected[v]) * (row.logits[v] - expected[v]);
                size += expected[v] * expected[v];
            }
        }
        double relative = Math.sqrt(error / size);
        assertTrue(relative <= BOUND.get(device.dtype()), relative + " apart, " + what);
    }

    /** Logits that follow the first {@code length} tokens of a sequence. */
    private record Row(int sequence, int length, float[] logits) {}

    /** Prompts in chunks, then token by token, each with its logits. */
    private static List<Row> logits(
            RandomModel model, CudaDevice device, int[][] tokens, int[] prompts, int blockTokens)
            throws Exception {
        ModelConfig config = model.config();
        Decoder decoder = new Decoder(config, model, device, MAX_TOKENS, tokens.length);
        int longest = Stream.of(tokens).mapToInt(t -> t.length).max().orElseThrow();
        int each = KvCache.blocksFor(longest, blockTokens);
        KvCache cache =
                device.newKvCache(
                        each * tokens.length,
                        blockTokens,
                        config.layers(),
                        config.kvHeads(),
                        config.headDim());
        int[][] blocks = new int[tokens.length][each];
        for (int i = 0; i < each * tokens.length; i++) {
            // In no order.
            blocks[i % tokens.length][each - 1 - i / tokens.length] = i;
        }
        Batch batch = new Batch(MAX_TOKENS, tokens.length);
        int[] done = new int[tokens.length];
        List<Row> rows = new ArrayList<>();
        while (IntStream.range(0, done.length).anyMatch(s -> done[s] < tokens[s].length)) {
            batch.clear();
            List<Integer> sampled = new ArrayList<>();
            for (int s = 0; s < tokens.length; s++) {
                int left = tokens[s].length - done[s];
                int prompt = Math.min(prompts[s], tokens[s].length);
                int count = done[s] < prompt ? Math.min(CHUNK, prompt - done[s]) : 1;
                if (left == 0 || count > batch.room()) continue;
                batch.add(tokens[s], done[s], done[s] + count, prompt, blocks[s]);
                done[s] += count;
                if (done[s] < prompt) continue;
                batch.sampleNext(1, 1, 1, 0);
                sampled.add(s);
            }
            Tensor logits = decoder.logits(batch, cache);
            for (int i = 0; i < sampled.size(); i++) {
                int s = sampled.get(i);
                rows.add(new Row(s, done[s], device.read(logits, i)));
            }
        }
        return rows;
    }
}
