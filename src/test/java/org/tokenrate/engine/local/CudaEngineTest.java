package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.cuda.CudaDevices;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.Architecture;
import org.tokenrate.model.AttentionConfig;
import org.tokenrate.model.MetaFolder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.Shard;
import org.tokenrate.model.SlidingWindow;
import org.tokenrate.softgpu.OnSoftGpu;

/** The whole engine on the CUDA device against the CPU's in 32 bits, with small random models. */
@OnSoftGpu(devices = 8)
class CudaEngineTest {
    private static final long SEED = 20261124;
    private static final int ENOUGH_BLOCKS = 200;
    private static final int VOCABULARY = 211;

    /** Where two logits are closer than this share of the largest, rounding may choose. */
    private static final Map<DType, Double> NEAR = Map.of(DType.F16, 1e-2, DType.BF16, 5e-2);

    /** Around the size of a KV block. */
    private static final int[] LENGTHS = {1, 63, 64, 65, 7, 130};

    @TempDir Path temporary;

    private static ModelConfig llama(int heads, int kvHeads, int headDim) {
        return RandomModel.llama(64, 2, heads, kvHeads, headDim, 96, VOCABULARY, false);
    }

    private static int[][] prompts(int... lengths) {
        Random random = new Random(SEED);
        return IntStream.of(lengths)
                .mapToObj(length -> random.ints(length, 0, VOCABULARY).toArray())
                .toArray(int[][]::new);
    }

    private static LocalEngine cuda(
            RandomModel model, DType dtype, int ranks, boolean graphs, int blocks)
            throws Exception {
        return engine(
                new RankedDecoder(
                        Shard.of(model.config(), ranks, inputs -> 1),
                        model,
                        CudaDevices.open(ranks, dtype, graphs),
                        72,
                        8),
                blocks);
    }

    private static LocalEngine cpu(RandomModel model) throws Exception {
        return engine(CpuDecoder.load(model, DType.F32, 1, 72, 8), ENOUGH_BLOCKS);
    }

    private static LocalEngine engine(RankedDecoder decoder, int blocks) {
        EngineInfo info = new EngineInfo("", "", "", 1, "", "", "", blocks, 64, 0, 0, Map.of());
        return new LocalEngine(decoder, blocks, info, 72, 8);
    }

    private static int[][] greedy(InferenceEngine engine, int[][] prompts) throws Exception {
        try (engine) {
            return Answers.of(engine, prompts, 8, SamplingParams.GREEDY);
        }
    }

    private static void compare(ModelConfig config, DType dtype, int ranks, boolean graphs)
            throws Exception {
        compare(config, dtype, ranks, graphs, prompts(LENGTHS));
    }

    private static void compare(
            ModelConfig config, DType dtype, int ranks, boolean graphs, int[][] prompts)
            throws Exception {
        RandomModel model = new RandomModel(config, DType.BF16, new Random(SEED));
        int[][] expected = greedy(cpu(model), prompts);
        int[][] got = greedy(cuda(model, dtype, ranks, graphs, ENOUGH_BLOCKS), prompts);
        Answers.assertSame(model, prompts, expected, got, NEAR.get(dtype));
    }

    @ParameterizedTest
    @CsvSource({"F16, true", "F16, false", "BF16, true", "BF16, false"})
    void greedyTokensEqualTheCpus(DType dtype, boolean graphs) throws Exception {
        compare(llama(4, 2, 64), dtype, 1, graphs);
    }

    @ParameterizedTest
    @CsvSource({"80, 8, 1", "96, 3, 3", "128, 4, 1"})
    void soDoThoseOfEveryHeadSize(int headDim, int heads, int kvHeads) throws Exception {
        compare(llama(heads, kvHeads, headDim), DType.BF16, 1, true);
    }

    @Test
    void soDoThoseOfAModelWithBiases() throws Exception {
        var attention = new AttentionConfig(4, 2, 64, true, false, false, SlidingWindow.NONE);
        compare(config(Architecture.QWEN2, attention, RopeScaling.NONE), DType.F16, 1, true);
    }

    @Test
    void soDoThoseOfAModelWithHeadNormsAndAWindow() throws Exception {
        var attention =
                new AttentionConfig(4, 2, 64, false, false, true, SlidingWindow.of(40, 1, 2));
        compare(config(Architecture.QWEN3, attention, RopeScaling.NONE), DType.F16, 1, true);
    }

    @Test
    void soDoThoseWhoseRotationDependsOnTheLength() throws Exception {
        var scaling = new RopeScaling.DynamicNtk(4, 50);
        var config = config(Architecture.LLAMA, AttentionConfig.plain(4, 2, 64), scaling);
        compare(config, DType.F16, 1, true);
    }

    private static ModelConfig config(
            Architecture architecture, AttentionConfig attention, RopeScaling scaling) {
        return new ModelConfig(
                architecture,
                64,
                2,
                attention,
                96,
                false,
                VOCABULARY,
                scaling.dependsOnLength() ? 200 : 700,
                1e-5f,
                new Rope(10000f, scaling),
                false,
                List.of(7));
    }

    /** Enough for their attention to be split, and no power of two. */
    @Test
    void soDoThoseOfALongContext() throws Exception {
        var config = config(Architecture.LLAMA, AttentionConfig.plain(2, 1, 64), RopeScaling.NONE);
        compare(config, DType.F16, 1, true, prompts(520, 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void ranksGiveTheSameTokens(int ranks) throws Exception {
        compare(llama(4, 2, 64), DType.BF16, ranks, true);
    }

    /** Four ranks beside each other hold the same KV head. */
    @Test
    void soDoEightRanksOfTwoKvHeads() throws Exception {
        compare(llama(8, 2, 64), DType.F16, 8, true, prompts(5, 66));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void metasCheckpointsGiveTheSameTokens(int ranks) throws Exception {
        ModelConfig config = RandomModel.llama(128, 2, 2, 2, 64, 192, 212, false);
        RandomModel model = new RandomModel(config, DType.BF16, new Random(SEED));
        MetaFolder.write(temporary, model, 2, MetaFolder.Embedding.BY_ROWS);
        int[][] prompts = prompts(3, 65);
        int[][] expected = greedy(cpu(model), prompts);
        var options = options("cuda", temporary, "llama", "bf16", ranks, true);
        int[][] got = greedy(new CudaEngineProvider().open(options), prompts);
        Answers.assertSame(model, prompts, expected, got, NEAR.get(DType.BF16));
    }

    @Test
    void preemptionChangesNothing() throws Exception {
        RandomModel model = new RandomModel(llama(4, 2, 64), DType.BF16, new Random(SEED));
        int[][] prompts = prompts(61, 62, 63, 64);
        int[][] expected = greedy(cpu(model), prompts);
        LocalEngine engine = cuda(model, DType.F16, 1, true, 5); // each will want two blocks
        int[][] got = greedy(engine, prompts);
        assertTrue(engine.counters().preemptions() > 0, "nothing was preempted");
        Answers.assertSame(model, prompts, expected, got, NEAR.get(DType.F16));
    }

    @ParameterizedTest
    @CsvSource({"F16, 1, true, 32", "BF16, 1, false, 32", "F16, 2, true, 32", "F16, 1, true, 64"})
    void weightsOf4BitsGiveTheSameTokens(DType dtype, int ranks, boolean graphs, int groupSize)
            throws Exception {
        ModelConfig config = RandomModel.llama(64, 2, 4, 2, 64, 192, VOCABULARY, false);
        RandomModel model = new RandomModel(config, DType.BF16, new Random(SEED));
        Path awq = FourBits.write(temporary, model, groupSize);
        int[][] prompts = prompts(LENGTHS);
        int[][] expected =
                greedy(
                        new CpuEngineProvider().open(options("cpu", awq, "awq", "f32", 1, true)),
                        prompts);
        var cuda = options("cuda", awq, "awq", dtype.label(), ranks, graphs);
        int[][] got = greedy(new CudaEngineProvider().open(cuda), prompts);
        Answers.assertSame(model, prompts, expected, got, NEAR.get(dtype));
    }

    private static EngineOptions options(
            String engine, Path model, String format, String dtype, int ranks, boolean graphs) {
        return new EngineOptions(engine, model.toString(), format, dtype, ranks, 0.1, 8, graphs);
    }

    @Test
    void aRequestCanBeCancelledAndAnEngineClosedInTheMiddle() throws Exception {
        RandomModel model = new RandomModel(llama(4, 2, 64), DType.BF16, new Random(SEED));
        var cancelled = new CompletableFuture<FinishReason>();
        var failed = new CompletableFuture<Exception>();
        try (LocalEngine engine = cuda(model, DType.F16, 1, true, ENOUGH_BLOCKS)) {
            var long1 =
                    new GenerationRequest(prompts(63)[0], 900, SamplingParams.GREEDY, true, true);
            Generation generation = engine.submit(long1, new Ends(cancelled, failed));
            generation.cancel();
            assertEquals(FinishReason.CANCELLED, cancelled.get(60, TimeUnit.SECONDS));
            engine.submit(long1, new Ends(new CompletableFuture<>(), failed));
        }
        String message = failed.get(60, TimeUnit.SECONDS).getMessage();
        assertEquals("the engine was closed", message);
    }

    private record Ends(
            CompletableFuture<FinishReason> finished, CompletableFuture<Exception> failed)
            implements TokenListener {
        @Override
        public void onTokens(int[] tokens, int count) {}

        @Override
        public void onFinished(FinishReason reason) {
            finished.complete(reason);
        }

        @Override
        public void onFailed(Exception cause) {
            failed.complete(cause);
        }
    }

    @Test
    void drawsDoNotDependOnTheBatchNorOnGraphs() throws Exception {
        RandomModel model = new RandomModel(llama(4, 2, 64), DType.BF16, new Random(SEED));
        var sampling = new SamplingParams(20, 0.9f, 0.8f, 42);
        int[][] prompts = prompts(LENGTHS);
        int[][] together;
        try (LocalEngine engine = cuda(model, DType.F16, 1, true, ENOUGH_BLOCKS)) {
            together = Answers.of(engine, prompts, 8, sampling);
        }
        try (LocalEngine engine = cuda(model, DType.F16, 1, false, ENOUGH_BLOCKS)) {
            int[][] alone = Answers.of(engine, new int[][] {prompts[0]}, 8, sampling);
            assertArrayEquals(together[0], alone[0]);
        }
    }
}
