package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;

class CpuEngineProviderTest {
    private static final int KV_HEADS = 2;
    private static final int HEAD_DIM = 32;
    private static final int LAYERS = 2;
    private static final int VOCABULARY = 512;
    private static final int HIDDEN = 64;

    @TempDir Path folder;

    /** Rows of every divided matrix come in whole blocks, so none is padded on any rank. */
    private String tinyModel() throws IOException {
        Path config = folder.resolve("tiny/config.json");
        Files.createDirectories(config.getParent());
        var tiny =
                RandomModel.llama(HIDDEN, LAYERS, 16, KV_HEADS, HEAD_DIM, 512, VOCABULARY, false);
        Files.writeString(config, HfFolder.config(tiny).toPrettyString());
        return "random:" + config;
    }

    private static EngineOptions options(String model, String format, int tp) {
        return new EngineOptions("cpu:1", model, format, "f32", tp, 0.001, 4, true);
    }

    @ParameterizedTest
    @CsvSource({"hf, 1", "hf, 2", "hf, 4", "llama, 2", "awq, 2", "awq, 4"})
    void anEngineOfSeveralRanksTellsOfAllOfThem(String format, int tp) throws Exception {
        String model = tinyModel();
        EngineInfo one;
        try (InferenceEngine engine = Engines.open(options(model, format, 1))) {
            one = engine.info();
        }
        try (InferenceEngine engine = Engines.open(options(model, format, tp))) {
            EngineInfo info = engine.info();
            assertEquals(tp, info.tp());
            assertEquals(tp > 1, info.device().contains(tp + " ranks of 1 thread"), info.device());
            // A rank has a KV head at least, in keys and values of f32.
            long heads = Math.max(tp, KV_HEADS);
            assertEquals(
                    info.kvBlocks()
                            * heads
                            * LAYERS
                            * 2
                            * HEAD_DIM
                            * RankedDecoder.BLOCK_TOKENS
                            * 4,
                    info.kvBytes());
            // Each further rank has an embedding and norms in bf16, and some KV heads again.
            long more = info.weightBytes() - one.weightBytes();
            long embedding = 2L * VOCABULARY * HIDDEN + 2 * HIDDEN * (2 * LAYERS + 1);
            long keys = (heads - KV_HEADS) * 2L * LAYERS * HEAD_DIM * HIDDEN * Float.BYTES;
            assertTrue(
                    more >= (tp - 1) * embedding && more <= (tp - 1) * embedding + keys,
                    more + " more bytes of weights");
            assertEquals(20, generated(engine));
        }
    }

    private static int generated(InferenceEngine engine) throws Exception {
        CompletableFuture<Integer> tokens = new CompletableFuture<>();
        engine.submit(
                new GenerationRequest(new int[] {1, 2, 3}, 20, SamplingParams.GREEDY, true, false),
                new TokenListener() {
                    private int count;

                    @Override
                    public void onTokens(int[] some, int number) {
                        count += number;
                    }

                    @Override
                    public void onFinished(FinishReason reason) {
                        tokens.complete(count);
                    }

                    @Override
                    public void onFailed(Exception cause) {
                        tokens.completeExceptionally(cause);
                    }
                });
        return tokens.get(60, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "builtin | hf | 16 | tp=16 must divide 8 attention heads; try 1, 2, 4 or 8",
                "builtin | awq | 8 | tp=8 leaves each rank 64 columns of the attention's output,"
                        + " which cuts through 4-bit groups of 128; try 1, 2 or 4",
                "random:qwen2-7b | hf | 8 | tp=8 must divide 28 attention heads; try 1, 2 or 4",
            })
    void whatCannotBeDividedIsRefusedBeforeAnythingIsLoaded(
            String model, String format, int tp, String message) {
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Engines.validate(options(model, format, tp)));
        assertEquals(message, e.getMessage());
    }
}
