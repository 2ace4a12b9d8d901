package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.Checkpoints;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.Tensor;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.model.MetaFolder.Embedding;

/** The same model in Hugging Face's and in Meta's format gives the same tokens. */
class MetaDecoderTest {
    private static final int PROMPT = 20;
    private static final int GENERATED = 24;
    private static final int VOCABULARY = 160;

    @TempDir Path temporary;

    @ParameterizedTest
    @CsvSource({
        // heads, kvHeads, headDim, tied, scaled rope, embedding, stored
        "4, 4, 16, false, false, BY_COLUMNS, F32",
        "8, 4, 16, true, true, BY_ROWS, BF16",
        "8, 4, 32, false, true, BY_ROWS, F32",
        "16, 4, 16, true, false, BY_COLUMNS, F32",
        "4, 4, 80, false, false, BY_ROWS, BF16",
        "8, 4, 64, true, true, BY_ROWS, F32",
        "4, 4, 128, false, false, BY_COLUMNS, F32",
    })
    void bothFormatsGiveTheSameTokens(
            int heads,
            int kvHeads,
            int headDim,
            boolean tied,
            boolean scaled,
            Embedding embedding,
            DType stored)
            throws IOException {
        ModelConfig config = config(heads, kvHeads, headDim, tied, scaled);
        long seed = new Random().nextLong();
        RandomModel model = new RandomModel(config, stored, new Random(seed));
        Path hf = temporary.resolve("hf");
        HfFolder.write(hf, model);
        Trace expected = generate(ModelConfig.read(hf), hf, ModelFormat.HF, seed);
        for (int shards : new int[] {1, 2, 4}) {
            Path meta = temporary.resolve("meta" + shards);
            MetaFolder.write(meta, model, shards, embedding);
            assertEquals(ModelFormat.LLAMA, ModelFormat.detect(meta));
            Trace got = generate(MetaConfig.read(meta), meta, ModelFormat.LLAMA, seed);
            String what = shards + " shards, seed " + seed;
            assertEquals(expected.tokens, got.tokens, what);
            for (int i = 0; i < GENERATED; i++) {
                assertArrayEquals(expected.logits.get(i), got.logits.get(i), what);
            }
        }
    }

    /** Greedy tokens, and the logits that each was chosen from. */
    private record Trace(List<Integer> tokens, List<float[]> logits) {}

    private static ModelConfig config(
            int heads, int kvHeads, int headDim, boolean tied, boolean scaled) {
        ModelConfig plain =
                RandomModel.llama(
                        heads * headDim, 2, heads, kvHeads, headDim, 92, VOCABULARY, tied);
        // Narrow models with scaled frequencies have Llama 3.2's factor.
        RopeScaling scaling = scaled ? new RopeScaling.Llama3(32, 1, 4, 8192) : RopeScaling.NONE;
        return new ModelConfig(
                plain.architecture(),
                plain.hiddenSize(),
                plain.layers(),
                plain.attention(),
                plain.intermediateSize(),
                plain.mlpBias(),
                plain.vocabularySize(),
                plain.maxPositions(),
                plain.rmsNormEps(),
                new Rope(scaled ? 500000f : 10000f, scaling),
                tied,
                plain.eosTokens());
    }

    /** Goes on greedily after a random prompt. */
    private static Trace generate(ModelConfig config, Path folder, ModelFormat format, long seed)
            throws IOException {
        int[] tokens = new Random(seed).ints(PROMPT + GENERATED, 0, VOCABULARY).toArray();
        Trace trace = new Trace(new ArrayList<>(), new ArrayList<>());
        try (Checkpoint checkpoint = Checkpoints.open(folder, format);
                CpuDevice device = new CpuDevice(DType.F32, 2)) {
            Decoder decoder = new Decoder(config, checkpoint, device, PROMPT, 1);
            KvCache cache =
                    device.newKvCache(
                            1,
                            KvCache.TILE_TOKENS,
                            config.layers(),
                            config.kvHeads(),
                            config.headDim());
            Batch batch = new Batch(PROMPT, 1);
            int[] chosen = new int[1];
            for (int from = 0, to = PROMPT; to < tokens.length; from = to++) {
                batch.clear();
                batch.add(tokens, from, to, PROMPT, new int[] {0});
                batch.sampleNext(1, 1, 0, 0);
                Tensor logits = decoder.logits(batch, cache);
                device.sample(logits, batch, chosen);
                tokens[to] = chosen[0];
                trace.tokens.add(chosen[0]);
                trace.logits.add(device.read(logits, 0));
            }
        }
        return trace;
    }
}
