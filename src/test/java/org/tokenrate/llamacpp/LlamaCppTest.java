package org.tokenrate.llamacpp;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.engine.local.LocalEngine;
import org.tokenrate.gguf.HfToGguf;
import org.tokenrate.gguf.TokenText;

class LlamaCppTest {
    private static final int ANSWER = 32;
    private static final int CONTEXT = 1024;
    private static final int VOCABULARY = 509;
    private static final int THREADS = 1;
    private static final long SEED = 20261124;

    @TempDir Path scratch;

    @BeforeAll
    static void llamaCppIsHere() {
        Assumptions.assumeTrue(
                LlamaCpp.isHere(),
                () ->
                        "llama.cpp's binding has no native library for %s %s"
                                .formatted(
                                        System.getProperty("os.name"),
                                        System.getProperty("os.arch")));
    }

    private static ObjectNode config(String architecture) {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add(architecture);
        return config.put("hidden_size", 64)
                .put("num_hidden_layers", 3)
                .put("num_attention_heads", 4)
                .put("num_key_value_heads", 4)
                .put("intermediate_size", 128)
                .put("vocab_size", VOCABULARY)
                .put("max_position_embeddings", CONTEXT)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("tie_word_embeddings", false)
                .put("hidden_act", "silu");
    }

    @Test
    void llamaAnswersAlike() throws Exception {
        compare(config("LlamaForCausalLM"));
    }

    @Test
    void tied() throws Exception {
        compare(
                config("LlamaForCausalLM")
                        .put("tie_word_embeddings", true)
                        .put("num_key_value_heads", 2));
    }

    private static int[][] prompts(Random random, int vocabulary) {
        List<Integer> lengths =
                new ArrayList<>(List.of(1, 2, 63, 64, 65, 127, 128, 129, 300, 511, 700));
        while (lengths.size() < 36) lengths.add(1 + random.nextInt(200));
        return lengths.stream()
                .map(length -> random.ints(length, 0, vocabulary).toArray())
                .toArray(int[][]::new);
    }

    private void compare(ObjectNode config) throws Exception {
        Random random = new Random(SEED);
        int vocabulary = config.path("vocab_size").intValue();
        Path folder = scratch.resolve("model");
        RandomFolder.write(folder, config, random);
        Path gguf = scratch.resolve("model.gguf");
        HfToGguf.convert(folder, gguf);
        int[][] prompts = prompts(random, vocabulary);
        long t0 = System.nanoTime();
        int[][] theirs =
                LlamaCpp.answers(
                        gguf, CONTEXT, prompts, ANSWER, new TokenText(vocabulary), scratch);
        long t1 = System.nanoTime();
        int[][] ours = ours(folder, prompts);
        long t2 = System.nanoTime();
        System.out.printf("theirs %.2f s ours %.2f s%n", (t1 - t0) / 1e9, (t2 - t1) / 1e9);
        for (int i = 0; i < prompts.length; i++) {
            System.out.println(
                    i
                            + " "
                            + prompts[i].length
                            + " "
                            + Arrays.mismatch(ours[i], theirs[i])
                            + " "
                            + Arrays.stream(ours[i]).distinct().count()
                            + " "
                            + Arrays.toString(ours[i]));
            System.out.println(Arrays.toString(theirs[i]));
        }
    }

    private static int[][] ours(Path folder, int[][] prompts) throws Exception {
        EngineOptions options =
                new EngineOptions("cpu", folder.toString(), "hf", "f32", 1, 0.1, prompts.length);
        try (LocalEngine engine =
                LocalEngine.open("cpu", new CpuDevice(DType.F32, THREADS), options)) {
            List<CompletableFuture<int[]>> answers = new ArrayList<>();
            for (int[] prompt : prompts) {
                CompletableFuture<int[]> answer = new CompletableFuture<>();
                engine.submit(
                        new GenerationRequest(prompt, ANSWER, SamplingParams.GREEDY, true, false),
                        new Collector(answer));
                answers.add(answer);
            }
            int[][] tokens = new int[prompts.length][];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = answers.get(i).get(60, TimeUnit.SECONDS);
            }
            return tokens;
        }
    }

    private record Collector(CompletableFuture<int[]> answer) implements TokenListener {
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
}
