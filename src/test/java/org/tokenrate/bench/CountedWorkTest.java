package org.tokenrate.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;
import org.tokenrate.run.IterationReport.Value;

/** What one invocation of each benchmark counts, beside the same worked out by hand. */
class CountedWorkTest {
    private static final double EXACT = 1e-12;
    private static final double MIB = 1048576;

    private final FlopCounters flops = new FlopCounters();
    private final ByteCounters bytes = new ByteCounters();
    private final TokenCounters tokens = new TokenCounters();

    private static <T extends DeviceBenchmark> T onCpu(T benchmark) {
        benchmark.engine = "cpu";
        benchmark.dtype = "f32";
        return benchmark;
    }

    private static LinearBenchmark linear(String matrix, int rows) {
        LinearBenchmark b = onCpu(new LinearBenchmark());
        b.model = "builtin";
        b.modelFormat = "hf";
        b.matrix = matrix;
        b.rows = rows;
        b.weightsMb = 9;
        return b;
    }

    /** 512 x 2304 in f32 is 4.5 MiB, so that 9 MiB are two copies. */
    @Test
    void aProductOfTheDeviceCountsItsShape() throws Exception {
        LinearBenchmark b = linear("down", 3);
        var device = new LinearBenchmark.OnDevice();
        device.load(b);
        try {
            b.device(device, flops, bytes);
            assertEquals(2 * 2.0 * 3 * 512 * 2304 / 1e9, flops.gflop, EXACT);
            assertEquals(2 * 4.0 * 512 * 2304 / 1e9, bytes.gb, EXACT);
        } finally {
            device.close();
        }
    }

    /** qkv 512 x 768, output 512 x 512, gate, up and down 512 x 2304: 16 MiB. */
    @Test
    void aLayerIsFiveProducts() throws Exception {
        LinearBenchmark b = linear("layer", 1);
        var device = new LinearBenchmark.OnDevice();
        device.load(b);
        try {
            b.device(device, flops, bytes);
            double weights = 512.0 * (768 + 512 + 3 * 2304);
            assertEquals(2 * weights / 1e9, flops.gflop, EXACT);
            assertEquals(4 * weights / 1e9, bytes.gb, EXACT);
        } finally {
            device.close();
        }
    }

    /** Codes are half a byte; a group's scales and zero points come on top. */
    @Test
    void weightsOf4BitsAreCountedAsTheyLie() throws Exception {
        LinearBenchmark b = linear("gate", 2);
        b.modelFormat = "awq";
        b.weightsMb = 1;
        var device = new LinearBenchmark.OnDevice();
        device.load(b);
        try {
            b.device(device, flops, bytes);
            double weights = flops.gflop / (2 * 2);
            assertTrue(bytes.gb > 0.5 * weights, bytes.gb + " for " + weights);
            assertTrue(bytes.gb < 0.6 * weights, bytes.gb + " for " + weights);
        } finally {
            device.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17})
    void theBareProductCountsTheSameAndComputes(int rows) throws Exception {
        LinearBenchmark b = linear("output", rows);
        b.weightsMb = 1;
        var bare = new LinearBenchmark.Bare();
        bare.make(b);
        try {
            b.bare(bare, flops, bytes);
            assertEquals(2.0 * rows * 512 * 512 / 1e9, flops.gflop, EXACT);
            assertEquals(4.0 * 512 * 512 / 1e9, bytes.gb, EXACT);
        } finally {
            bare.close();
        }
    }

    @Test
    void theBareProductSumsUpItsInputs() {
        BareProduct.load(1);
        try (var product = new BareProduct(BareProduct.types("f32"), 5, 200, 48)) {
            product.run();
            assertEquals(200f, product.result());
            assertEquals(4L * 200 * 48, product.weightBytes());
        }
    }

    /**
     * 2 sequences of 70 tokens, 4 heads of 32 over 2: 71,680 bytes a layer, so 15 in a MiB; what is
     * empty of a block counts for nothing.
     */
    @ParameterizedTest
    @ValueSource(ints = {64, 128, 256})
    void decodeAttentionReadsEachKeyAndValueOnce(int block) throws Exception {
        DecodeAttentionBenchmark b = onCpu(new DecodeAttentionBenchmark());
        b.batch = 2;
        b.context = 70;
        b.heads = "4/2";
        b.headDim = 32;
        b.block = block;
        b.kvMb = 1;
        b.fill();
        try {
            b.attention(flops, bytes);
            assertEquals(15 * 2.0 * 70 * 2 * 2 * 32 * 4 / 1e9, bytes.gb, EXACT);
            assertEquals(15 * 2.0 * 70 * 4 * 4 * 32 / 1e9, flops.gflop, EXACT);
        } finally {
            b.close();
        }
    }

    /** Five tokens see 1 + 2 + 3 + 4 + 5. */
    @ParameterizedTest
    @ValueSource(ints = {64, 128})
    void prefillAttentionCountsWhatIsNotMasked(int block) throws Exception {
        PrefillAttentionBenchmark b = onCpu(new PrefillAttentionBenchmark());
        b.prompt = 5;
        b.chunk = 2;
        b.heads = "4/2";
        b.headDim = 32;
        b.block = block;
        b.fill();
        try {
            b.attention(flops);
            assertEquals(15 * 4.0 * 4 * 32 / 1e9, flops.gflop, EXACT);
        } finally {
            b.close();
        }
    }

    /** TinyLlama has 1,100,048,384 parameters; its embedding and norms are in no product. */
    @Test
    void aTokenOfAModelIsTwoOperationsForEachWeight() throws Exception {
        ModelConfig tiny = ModelSource.of("random:tinyllama-1.1b", "hf").config();
        long norms = (2 * 22 + 1) * 2048;
        long weights = 1_100_048_384L - 32_000 * 2048 - norms;
        assertEquals(2.0 * weights, WholeModel.productFlops(tiny, 1, 1));
        assertEquals(2.0 * (weights - 32_000 * 2048), WholeModel.productFlops(tiny, 1, 0));
        assertEquals(4.0 * 22 * 32 * 64 * 10, WholeModel.attentionFlops(tiny, 10));
    }

    /**
     * The built-in model in f32: 3 layers as above, a head of 4,096 rows, 7 norms. It has 2 KV
     * heads: 4 ranks hold each of them twice, and every rank has all norms.
     */
    @ParameterizedTest
    @CsvSource({"1, 2", "2, 2", "4, 4"})
    void anIterationOfDecodingReadsWeightsAndContexts(int tp, int kvHeads) throws Exception {
        DecodeBenchmark b = onCpu(new DecodeBenchmark());
        b.model = "builtin";
        b.modelFormat = "hf";
        b.tp = tp;
        b.batch = 2;
        b.context = 66;
        b.load();
        try {
            int[] chosen = b.decode(tokens, flops, bytes).clone();
            double layer = 512 * (768 + 512 + 3 * 2304);
            double head = 512 * 4096;
            assertEquals(2, tokens.tokens);
            assertEquals(
                    (2 * 2 * (3 * layer + head) + 4.0 * 3 * 8 * 64 * 2 * 66) / 1e9,
                    flops.gflop,
                    EXACT);
            double twice = 3 * 512 * 2 * (kvHeads - 2) * 64; // rows of keys and values
            double norms = tp * 7 * 512 * 2; // kept as they are stored, in bf16
            double kv = 2.0 * 3 * kvHeads * 64 * 4 * 2 * 66;
            assertEquals((4 * (3 * layer + head + twice) + norms + kv) / 1e9, bytes.gb, EXACT);
            assertArrayEquals(chosen, b.decode(tokens, flops, bytes));
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"model, 1", "products, 1", "model, 2", "products, 2"})
    void aPrefillCountsItsProducts(String work, int tp) throws Exception {
        PrefillBenchmark b = onCpu(new PrefillBenchmark());
        b.model = "builtin";
        b.modelFormat = "hf";
        b.tp = tp;
        b.prompt = 5;
        b.chunk = 3;
        b.work = work;
        b.load();
        try {
            b.prefill(tokens, flops);
            double layer = 512 * (768 + 512 + 3 * 2304);
            assertEquals(5, tokens.tokens);
            assertEquals(2 * (5 * 3 * layer + 512 * 4096) / 1e9, flops.gflop, EXACT);
        } finally {
            b.close();
        }
    }

    @Test
    void whatIsBetweenProductsCountsTokens() throws Exception {
        NormRopeActivationBenchmark b = onCpu(new NormRopeActivationBenchmark());
        b.model = "builtin";
        b.rows = 3;
        b.load();
        try {
            b.embed(tokens);
            b.norm(tokens);
            b.ropeAndStore(tokens);
            b.gated(tokens, flops);
            assertEquals(64 * 2 * 2.0 * 3 * 512 * 2304 / 1e9, flops.gflop, EXACT);
            b.products(tokens, flops);
            assertEquals(5 * 64 * 3, tokens.tokens);
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"greedy", "topK", "topP", "all"})
    void samplingChoosesATokenForEachSequence(String method) throws Exception {
        SamplingBenchmark b = new SamplingBenchmark();
        b.engine = "cpu";
        b.vocabulary = 1000;
        b.method = method;
        b.batch = 3;
        b.load();
        try {
            for (int token : b.sample(tokens, bytes)) {
                assertTrue(token >= 0 && token < 1000, "token " + token);
            }
            assertEquals(3, tokens.tokens);
            assertEquals(3 * 1000 * 4 / 1e9, bytes.gb, EXACT);
        } finally {
            b.close();
        }
    }

    /** The last iteration of each answer makes its last token: as many iterations as tokens. */
    @Test
    void theSchedulerCountsItsIterations() throws Exception {
        SchedulerBenchmark b = new SchedulerBenchmark();
        b.requests = 1;
        b.promptTokens = 5;
        b.outputTokens = 4;
        b.kvBlocks = 1;
        b.open();
        try {
            var counters = new SchedulerBenchmark.Counters();
            b.schedule(counters);
            assertEquals(4, counters.tokens);
            assertEquals(4, counters.iterations);
            assertEquals(0, counters.preemptions);
        } finally {
            b.close();
        }
    }

    @Test
    void tooFewBlocksMakeItPreempt() throws Exception {
        SchedulerBenchmark b = new SchedulerBenchmark();
        b.requests = 200;
        b.promptTokens = 60;
        b.outputTokens = 2000;
        b.kvBlocks = 100; // each comes to want 33
        b.open();
        try {
            var counters = new SchedulerBenchmark.Counters();
            b.schedule(counters);
            assertEquals(400_000, counters.tokens);
            assertTrue(counters.preemptions > 0);
        } finally {
            b.close();
        }
    }

    @Test
    void readingGoesOverEveryByteOnce() throws Exception {
        ReadBandwidthBenchmark b = new ReadBandwidthBenchmark();
        b.engine = "cpu:1";
        b.mb = 2;
        b.allocate();
        try {
            assertEquals(0.5f * 2 * (float) MIB / 4, b.read(bytes));
            assertEquals(2 * MIB / 1e9, bytes.gb, EXACT);
        } finally {
            b.close();
        }
    }

    @Test
    void theStaticTestRunsEveryRound() throws Exception {
        StaticInferenceBenchmark b = onCpu(new StaticInferenceBenchmark());
        b.model = "builtin";
        b.modelFormat = "hf";
        b.tp = 1;
        b.concurrency = 2;
        b.promptTokens = 8;
        b.completionTokens = 4;
        b.rounds = 3;
        b.open();
        try {
            var counters = new WorkloadCounters();
            var metrics = ThroughputMetrics.of(b.requests(counters));
            assertEquals(6, counters.requests);
            assertEquals(24, counters.generatedTokens);
            assertEquals(48, metrics.promptTokens());
            assertEquals(
                    List.of(
                            "first_token_mean",
                            "first_token_min",
                            "first_token_max",
                            "token_p50",
                            "token_p75",
                            "token_p95",
                            "token_p99"),
                    StaticInferenceBenchmark.latencies(metrics).stream()
                            .map(Value::label)
                            .toList());
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"10, 3, 4", "9, 3, 3", "0, 3, 1", "1, 300, 1"})
    void copiesAreRoundedUp(long total, long each, int expected) {
        assertEquals(expected, PartBenchmark.copies(total, each));
    }
}
