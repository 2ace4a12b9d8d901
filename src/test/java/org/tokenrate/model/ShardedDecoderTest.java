package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.AwqCheckpoint;
import org.tokenrate.checkpoint.AwqWriter;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.Checkpoints;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.checkpoint.WatchedCheckpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.model.ModelTensors.Kind;

/** Several ranks against the equations, and against one rank. */
@Timeout(300)
class ShardedDecoderTest {
    private static final int MAX_TOKENS = 300;
    private static final IntUnaryOperator DENSE = inputs -> 1;

    /** Root mean square error over root mean square logit, as in {@link DecoderTest}. */
    private static final double F32_BOUND = 2e-5;

    private static final double BF16_BOUND = 3e-2;

    /** Of two ways to multiply 4-bit weights in f32: 128 + q costs four bits. */
    private static final double FOUR_BIT_BOUND = 2e-4;

    @TempDir Path temporary;

    @ParameterizedTest
    @EnumSource
    void logitsOfSeveralRanksEqualTheEquations(Architecture architecture) throws IOException {
        for (int ranks : new int[] {2, 4, 8}) {
            for (int i = 0; i < 2; i++) {
                compare(architecture, ranks, DType.F32, F32_BOUND);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void bf16LogitsOfSeveralRanksEqualTheEquationsWithinItsRounding(Architecture architecture)
            throws IOException {
        assumeMultiplied(DType.BF16);
        for (int ranks : new int[] {2, 4, 8}) compare(architecture, ranks, DType.BF16, BF16_BOUND);
    }

    /** A ragged batch of prompts, fed in random chunks, with random blocks of the cache. */
    private static void compare(Architecture architecture, int ranks, DType dtype, double bound)
            throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ModelConfig config = randomConfig(random, architecture, ranks);
        RandomModel model = new RandomModel(config, dtype, random);
        int threads = 1 + random.nextInt(2 * ranks);
        String what = "seed " + seed + " " + dtype + " " + config + " ranks " + ranks;
        int sequences = 1 + random.nextInt(4);
        int[][] tokens = new int[sequences][];
        int[] chunk = new int[sequences];
        for (int s = 0; s < sequences; s++) {
            int length = 1 + random.nextInt(100);
            tokens[s] = random.ints(length, 0, config.vocabularySize()).toArray();
            chunk[s] = 1 + random.nextInt(60);
        }
        ReferenceDecoder reference = new ReferenceDecoder(model);
        List<Shard> shards = Shard.of(config, ranks, DENSE);
        try (var decoder =
                new ShardedDecoder(shards, model, dtype, threads, MAX_TOKENS, sequences, 8)) {
            Map<Integer, float[]> logits = feed(decoder, tokens, chunk);
            for (int s = 0; s < sequences; s++) {
                double[] expected = reference.logits(tokens[s], tokens[s].length);
                assertClose(expected, logits.get(s), bound, what + " sequence " + s);
            }
        }
    }

    /** Whatever the family can have, with heads that can be divided; KV heads may be too few. */
    private static ModelConfig randomConfig(Random random, Architecture architecture, int ranks) {
        ModelConfig c = RandomModel.randomConfig(random, architecture);
        AttentionConfig a = c.attention();
        int kvHeads = 1 << random.nextInt(4);
        int heads = Math.max(ranks, kvHeads) * (1 + random.nextInt(2));
        if (architecture == Architecture.INTERNLM) kvHeads = heads;
        AttentionConfig attention =
                new AttentionConfig(
                        heads,
                        kvHeads,
                        16 << random.nextInt(2),
                        a.qkvBias(),
                        a.outputBias(),
                        a.headNorms(),
                        a.window());
        return new ModelConfig(
                architecture,
                c.hiddenSize(),
                c.layers(),
                attention,
                c.intermediateSize(),
                c.mlpBias(),
                c.vocabularySize(),
                c.maxPositions(),
                c.rmsNormEps(),
                c.rope(),
                c.tiedEmbeddings(),
                c.eosTokens());
    }

    /** Feeds all sequences in chunks; the logits after each one's last token. */
    private static Map<Integer, float[]> feed(ShardedDecoder decoder, int[][] tokens, int[] chunk) {
        Batch batch = new Batch(MAX_TOKENS, tokens.length);
        int[] done = new int[tokens.length];
        Map<Integer, float[]> logits = new HashMap<>();
        while (logits.size() < tokens.length) {
            batch.clear();
            List<Integer> sampled = new ArrayList<>();
            for (int s = 0; s < tokens.length; s++) {
                int to = Math.min(tokens[s].length, done[s] + chunk[s]);
                if (to == done[s]) continue;
                int[] blocks = {7 - 2 * s, 6 - 2 * s};
                batch.add(tokens[s], done[s], to, tokens[s].length, blocks);
                done[s] = to;
                if (to < tokens[s].length) continue;
                batch.sampleNext(1, 1, 1, 0);
                sampled.add(s);
            }
            List<float[]> rows = decoder.logits(batch);
            for (int i = 0; i < rows.size(); i++) logits.put(sampled.get(i), rows.get(i));
        }
        return logits;
    }

    /** 9 groups of 32 in the middle and 2 KV heads: neither can be divided evenly by 4 or 8. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void fourBitWeightsAreDividedByWholeGroups(int ranks) throws IOException {
        long seed = new Random().nextLong();
        ModelConfig config = RandomModel.llama(64, 2, 8, 2, 32, 288, 211, false);
        RandomModel model = new RandomModel(config, DType.F32, new Random(seed));
        Path dense = temporary.resolve("dense");
        Path awq = Files.createDirectory(temporary.resolve("awq"));
        HfFolder.write(dense, model);
        AwqWriter.convert(dense, awq, 32);
        int[][] tokens = {new Random(seed).ints(90, 0, 211).toArray()};
        try (Checkpoint checkpoint = AwqCheckpoint.open(awq)) {
            float[] one = logits(Shard.of(config, 1, inputs -> 32), checkpoint, tokens);
            float[] several = logits(Shard.of(config, ranks, inputs -> 32), checkpoint, tokens);
            double[] expected = new double[one.length];
            for (int i = 0; i < one.length; i++) expected[i] = one[i];
            assertClose(expected, several, FOUR_BIT_BOUND, "seed " + seed);
        }
    }

    private static float[] logits(List<Shard> shards, Checkpoint checkpoint, int[][] tokens)
            throws IOException {
        try (var decoder = new ShardedDecoder(shards, checkpoint, DType.F32, 2, MAX_TOKENS, 1, 8)) {
            return feed(decoder, tokens, new int[] {50}).get(0);
        }
    }

    /** Ranks and the files' shards are cut at different places, or at the same. */
    @ParameterizedTest
    @CsvSource({"2, 1, true", "2, 4, false", "4, 2, true", "8, 2, false", "4, 4, true"})
    void metasShardsGiveRanksTheSameNumbers(int ranks, int shards, boolean tied)
            throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ModelConfig config = RandomModel.llama(128, 2, 8, 4, 16, 92, 160, tied);
        RandomModel model = new RandomModel(config, DType.F32, random);
        Path hf = temporary.resolve("hf");
        Path meta = temporary.resolve("meta");
        HfFolder.write(hf, model);
        MetaFolder.write(meta, model, shards, MetaFolder.Embedding.BY_COLUMNS);
        int[][] tokens = {random.ints(70, 0, 160).toArray()};
        Map<ModelFormat, float[]> logits = new EnumMap<>(ModelFormat.class);
        for (var format : Map.of(ModelFormat.HF, hf, ModelFormat.LLAMA, meta).entrySet()) {
            try (Checkpoint checkpoint = Checkpoints.open(format.getValue(), format.getKey())) {
                logits.put(
                        format.getKey(),
                        logits(Shard.of(config, ranks, DENSE), checkpoint, tokens));
            }
        }
        assertArrayEquals(
                logits.get(ModelFormat.HF), logits.get(ModelFormat.LLAMA), "seed " + seed);
        double[] expected = new ReferenceDecoder(model).logits(tokens[0], tokens[0].length);
        assertClose(expected, logits.get(ModelFormat.HF), F32_BOUND, "seed " + seed);
    }

    /** Of what is divided, a rank reads its part and no byte of the others'. */
    @ParameterizedTest
    @CsvSource({"2, false", "4, false", "8, true", "4, true"})
    void aRankReadsAndHoldsItsPartOnly(int ranks, boolean tied) throws IOException {
        // Of whole blocks of outputs, which the device pads others to.
        ModelConfig config = RandomModel.llama(64, 2, 8, 8, 64, 512, 1024, tied);
        RandomModel model = new RandomModel(config, DType.F32, new Random(1));
        long whole = 0;
        long divided = tied ? 4L * 1024 * 64 : 0;
        for (ModelTensors.Entry tensor : ModelTensors.of(config)) {
            long bytes = 4;
            for (long extent : tensor.shape()) bytes *= extent;
            if (tensor.kind() == Kind.LINEAR) divided += bytes;
            else whole += bytes;
        }
        for (Shard shard : Shard.of(config, ranks, DENSE)) {
            AtomicLong read = new AtomicLong();
            Checkpoint watched = new WatchedCheckpoint(model, read::addAndGet);
            try (var device = new CpuDevice(DType.F32, 1)) {
                Decoder decoder = new Decoder(shard, watched, device, 4, 1);
                assertEquals(whole + divided / ranks, read.get(), shard.toString());
                assertEquals(whole + divided / ranks, decoder.weightBytes(), shard.toString());
            }
        }
    }

    /** The order of sums is fixed: not a bit changes from run to run, however threads race. */
    @Test
    void severalRanksGiveTheSameBitsEveryTime() throws IOException {
        ModelConfig config = RandomModel.llama(64, 3, 8, 2, 32, 99, 211, false);
        RandomModel model = new RandomModel(config, DType.F32, new Random(3));
        int[][] tokens = {new Random(4).ints(100, 0, 211).toArray()};
        List<Shard> shards = Shard.of(config, 4, DENSE);
        float[] first = logits(shards, model, tokens);
        for (int i = 0; i < 5; i++) assertArrayEquals(first, logits(shards, model, tokens));
    }

    private static void assertClose(double[] expected, float[] got, double bound, String what) {
        assertEquals(expected.length, got.length, what);
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(expected[i] - got[i], 2);
            size += Math.pow(expected[i], 2);
        }
        double ratio = Math.sqrt(error / size);
        assertTrue(ratio <= bound, "logits are off by a ratio of " + ratio + ": " + what);
    }
}
