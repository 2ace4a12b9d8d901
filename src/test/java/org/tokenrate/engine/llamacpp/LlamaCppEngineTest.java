package org.tokenrate.engine.llamacpp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.cache.CacheFolder;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.llamacpp.RandomFolder;

class LlamaCppEngineTest {
    private static final long SEED = 20261124;
    private static final int VOCABULARY = 509;
    private static final int CONTEXT = 256;
    private static final int SECONDS = 120;

    @TempDir static Path folder;

    private static String cache;

    /** Of most tests: a start of llama.cpp takes a second. */
    private static InferenceEngine llamaCpp;

    @BeforeAll
    static void aModelOfRandomWeights() throws IOException {
        LlamaCppRequired.orSkip();
        cache = System.getProperty(CacheFolder.PROPERTY, "");
        System.setProperty(CacheFolder.PROPERTY, folder.resolve("cache").toString());
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add("LlamaForCausalLM");
        config.put("hidden_size", 64)
                .put("num_hidden_layers", 2)
                .put("num_attention_heads", 4)
                .put("num_key_value_heads", 2)
                .put("intermediate_size", 128)
                .put("vocab_size", VOCABULARY)
                .put("max_position_embeddings", CONTEXT)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("tie_word_embeddings", false)
                .put("hidden_act", "silu");
        RandomFolder.write(folder.resolve("model"), config, new Random(SEED));
        llamaCpp = open("llamacpp:1:slots=3:kv=f32", 8);
    }

    @AfterAll
    static void theCacheAsItWas() {
        if (llamaCpp != null) llamaCpp.close();
        if (cache == null) return;
        if (cache.isEmpty()) System.clearProperty(CacheFolder.PROPERTY);
        else System.setProperty(CacheFolder.PROPERTY, cache);
    }

    private static InferenceEngine open(String engine, int inFlight) throws IOException {
        return Engines.open(
                new EngineOptions(
                        engine,
                        folder.resolve("model").toString(),
                        "hf",
                        "f32",
                        1,
                        0.01,
                        inFlight,
                        true));
    }

    /** What one request's listener heard. */
    private static final class Heard implements TokenListener {
        final List<Integer> tokens = new ArrayList<>();
        final CompletableFuture<FinishReason> end = new CompletableFuture<>();
        final CompletableFuture<Void> first = new CompletableFuture<>();
        final Runnable onFirst;
        int calls;

        Heard() {
            this(() -> {});
        }

        Heard(Runnable onFirst) {
            this.onFirst = onFirst;
        }

        @Override
        public void onTokens(int[] step, int count) {
            if (calls++ == 0) onFirst.run();
            for (int i = 0; i < count; i++) tokens.add(step[i]);
            first.complete(null);
        }

        @Override
        public void onFinished(FinishReason reason) {
            end.complete(reason);
        }

        @Override
        public void onFailed(Exception cause) {
            end.completeExceptionally(cause);
        }

        FinishReason reason() throws Exception {
            return end.get(SECONDS, TimeUnit.SECONDS);
        }

        int[] answer() {
            return tokens.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    private static GenerationRequest request(int[] prompt, int count, boolean stream) {
        return new GenerationRequest(prompt, count, SamplingParams.GREEDY, true, stream);
    }

    private static List<int[]> prompts() {
        Random random = new Random(SEED);
        List<int[]> prompts = new ArrayList<>();
        for (int length : new int[] {1, 2, 7, 64, 100, 130, 33, 5}) {
            prompts.add(random.ints(length, 0, VOCABULARY).toArray());
        }
        return prompts;
    }

    private static List<Heard> answers(InferenceEngine engine, boolean stream) throws Exception {
        List<Heard> all = new ArrayList<>();
        List<int[]> prompts = prompts();
        for (int i = 0; i < prompts.size(); i++) {
            all.add(new Heard());
            engine.submit(request(prompts.get(i), 1 + 3 * i, stream), all.get(i));
        }
        for (Heard heard : all) assertEquals(FinishReason.LENGTH, heard.reason());
        return all;
    }

    /** More requests than slots, of all lengths; a stray near tie would show as a difference. */
    @Test
    void theAnswersAreThoseOfOurEngineAndOfTheLengthAskedFor() throws Exception {
        List<Heard> ours;
        try (InferenceEngine engine = open("cpu:1", 8)) {
            ours = answers(engine, true);
        }
        List<Heard> streamed = answers(llamaCpp, true);
        List<Heard> whole = answers(llamaCpp, false);
        for (int i = 0; i < ours.size(); i++) {
            int[] expected = ours.get(i).answer();
            assertEquals(1 + 3 * i, expected.length);
            assertArrayEquals(expected, streamed.get(i).answer(), "answer " + i);
            assertEquals(expected.length, streamed.get(i).calls, "a call a token");
            assertArrayEquals(expected, whole.get(i).answer(), "answer " + i);
            assertEquals(1, whole.get(i).calls);
        }
    }

    @Test
    void aSeedGivesTheSameSampleAgainAndAnotherAnother() throws Exception {
        int[] first = sampled(1);
        assertArrayEquals(first, sampled(1));
        assertFalse(Arrays.equals(first, sampled(2)));
    }

    private static int[] sampled(long seed) throws Exception {
        Heard heard = new Heard();
        SamplingParams sampling = new SamplingParams(0, 1, 3, seed);
        llamaCpp.submit(new GenerationRequest(new int[] {5, 6}, 20, sampling, true, true), heard);
        heard.reason();
        return heard.answer();
    }

    @Test
    void theLongestRequestRunsToItsEnd() throws Exception {
        Heard heard = new Heard();
        llamaCpp.submit(request(new int[CONTEXT - 50], 50, true), heard);
        assertEquals(FinishReason.LENGTH, heard.reason());
        assertEquals(50, heard.tokens.size());
    }

    @Test
    void whatCannotRunIsRefusedWithItsNumbers() {
        assertRefused(
                "a prompt of 60 and an answer of 197 tokens exceed llama.cpp's context of 256",
                request(new int[60], 197, true));
        assertRefused(
                "token 509 is not in the vocabulary of 509",
                request(new int[] {1, VOCABULARY}, 1, true));
        assertRefused(
                "no end of sequence",
                new GenerationRequest(new int[1], 1, SamplingParams.GREEDY, false, true));
    }

    private static void assertRefused(String why, GenerationRequest request) {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> llamaCpp.submit(request, new Heard()))
                        .getMessage();
        assertTrue(message.contains(why), message);
    }

    @Test
    void cancelledRequestsEndAndLeaveTheirSlotToTheNext() throws Exception {
        try (InferenceEngine engine = open("llamacpp:1:slots=1", 3)) {
            Heard running = new Heard();
            Heard waiting = new Heard();
            Heard last = new Heard();
            Generation first = engine.submit(request(new int[3], 250, true), running);
            Generation second = engine.submit(request(new int[3], 250, true), waiting);
            engine.submit(request(new int[3], 4, true), last);
            running.first.get(SECONDS, TimeUnit.SECONDS);
            second.cancel();
            first.cancel();
            assertEquals(FinishReason.CANCELLED, waiting.reason());
            assertEquals(0, waiting.calls);
            // It may have been faster than the word to stop.
            assertEquals(
                    running.tokens.size() == 250 ? FinishReason.LENGTH : FinishReason.CANCELLED,
                    running.reason());
            assertEquals(FinishReason.LENGTH, last.reason());
        }
    }

    @Test
    void closingFailsWhatIsInFlightAndLeavesNothingBehind() throws Exception {
        List<ProcessHandle> before = children();
        InferenceEngine engine = open("llamacpp:1:slots=1", 2);
        assertEquals(before.size() + 1, children().size());
        Heard running = new Heard();
        Heard waiting = new Heard();
        engine.submit(request(new int[3], 250, true), running);
        engine.submit(request(new int[3], 250, true), waiting);
        engine.close();
        engine.close();
        String message = assertThrows(Exception.class, waiting::reason).getMessage();
        assertTrue(message.endsWith("the engine was closed"), message);
        assertThrows(
                IllegalStateException.class,
                () -> engine.submit(request(new int[3], 1, true), new Heard()));
        assertEquals(before, children());
        assertEquals(1, threads(), "of the engine of the other tests");
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().equals("llamacpp"))
                .count();
    }

    private static List<ProcessHandle> children() {
        return ProcessHandle.current().children().toList();
    }

    @Test
    void aDeathOfLlamaCppFailsWhatIsInFlightAndSaysSo() throws Exception {
        List<ProcessHandle> before = children();
        try (InferenceEngine engine = open("llamacpp:1:slots=1", 1)) {
            List<ProcessHandle> llamaCpp = new ArrayList<>(children());
            llamaCpp.removeAll(before);
            Heard heard = new Heard(() -> llamaCpp.forEach(ProcessHandle::destroyForcibly));
            engine.submit(request(new int[3], 250, true), heard);
            String message = assertThrows(Exception.class, heard::reason).getMessage();
            assertTrue(message.contains("llama.cpp ended with status"), message);
            IllegalStateException refused =
                    assertThrows(
                            IllegalStateException.class,
                            () -> engine.submit(request(new int[3], 1, true), new Heard()));
            assertTrue(refused.getMessage().contains("llama.cpp"), refused.getMessage());
        }
    }

    @Test
    void aFileThatIsNoModelIsAnErrorOfOneSentence() throws Exception {
        Path bad = Files.writeString(folder.resolve("bad.gguf"), "GGUF? no");
        LlamaCppSettings settings = new LlamaCppSettings(1, 1, 64, false);
        try (LlamaCppProcess process = LlamaCppProcess.start(bad, VOCABULARY, settings)) {
            String message = assertThrows(IOException.class, process::awaitReady).getMessage();
            assertTrue(message.startsWith("llama.cpp: could not load model"), message);
        }
    }
}
