package org.tokenrate.llamacpp;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.engine.local.LocalEngine;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;

/** Our engine on a model folder, on the CPU and in 32-bit floats. */
final class OurEngine {
    private static final int THREADS = 1;
    private static final int SECONDS = 120;

    private OurEngine() {}

    /** The tokens that follow each prompt, chosen greedily, all prompts in flight at once. */
    static int[][] answers(Path folder, int[][] prompts, int count) throws Exception {
        EngineOptions options =
                new EngineOptions(
                        "cpu", folder.toString(), "hf", "f32", 1, 0.1, prompts.length, true);
        try (LocalEngine engine =
                LocalEngine.open(
                        "cpu",
                        List.of(new CpuDevice(DType.F32, THREADS)),
                        options,
                        LoadListener.NONE)) {
            List<CompletableFuture<int[]>> answers = new ArrayList<>();
            for (int[] prompt : prompts) {
                CompletableFuture<int[]> answer = new CompletableFuture<>();
                engine.submit(
                        new GenerationRequest(prompt, count, SamplingParams.GREEDY, true, false),
                        new WholeAnswer(answer));
                answers.add(answer);
            }
            int[][] tokens = new int[prompts.length][];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = answers.get(i).get(SECONDS, TimeUnit.SECONDS);
            }
            return tokens;
        }
    }

    private record WholeAnswer(CompletableFuture<int[]> answer) implements TokenListener {
        @Override
        public void onTokens(int[] tokens, int count) {
            answer.complete(Arrays.copyOf(tokens, count));
        }

        @Override
        public void onFinished(FinishReason reason) {}

        @Override
        public void onFailed(Exception cause) {
            answer.completeExceptionally(cause);
        }
    }

    /** The logits that follow the last of the tokens, of which the first were given. */
    static float[] logits(Path folder, int[] tokens, int given) throws IOException {
        ModelConfig config = ModelConfig.read(folder);
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder);
                CpuDevice device = new CpuDevice(DType.F32, THREADS)) {
            Decoder decoder = new Decoder(config, checkpoint, device, tokens.length, 1);
            int blocks = KvCache.blocksFor(tokens.length, KvCache.TILE_TOKENS);
            KvCache cache =
                    device.newKvCache(
                            blocks,
                            KvCache.TILE_TOKENS,
                            config.layers(),
                            config.kvHeads(),
                            config.headDim());
            Batch batch = new Batch(tokens.length, 1);
            batch.clear();
            batch.add(tokens, 0, tokens.length, given, IntStream.range(0, blocks).toArray());
            batch.sampleNext(1, 1, 0, 0);
            return device.read(decoder.logits(batch, cache), 0);
        }
    }
}
