package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.ReferenceDecoder;

/** What an engine answers to prompts that are all in flight at once. */
final class Answers {
    private static final int SECONDS = 300;

    private Answers() {}

    /**
     * The tokens that follow each prompt: prompt i's answer has {@code count + i % 3}.
     *
     * @throws ExecutionException if a request fails, with its failure
     */
    static int[][] of(InferenceEngine engine, int[][] prompts, int count, SamplingParams sampling)
            throws InterruptedException, ExecutionException, TimeoutException {
        List<CompletableFuture<int[]>> answers = new ArrayList<>();
        for (int i = 0; i < prompts.length; i++) {
            CompletableFuture<int[]> answer = new CompletableFuture<>();
            engine.submit(
                    new GenerationRequest(prompts[i], count + i % 3, sampling, true, false),
                    new Whole(answer));
            answers.add(answer);
        }
        int[][] tokens = new int[prompts.length][];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = answers.get(i).get(SECONDS, TimeUnit.SECONDS);
        }
        return tokens;
    }

    private record Whole(CompletableFuture<int[]> answer) implements TokenListener {
        @Override
        public void onTokens(int[] tokens, int count) {
            answer.complete(Arrays.copyOf(tokens, count));
        }

        @Override
        public void onFinished(FinishReason reason) {
            answer.completeExceptionally(new IllegalStateException("ended: " + reason));
        }

        @Override
        public void onFailed(Exception cause) {
            answer.completeExceptionally(cause);
        }
    }

    /**
     * Fails unless two engines' greedy answers are the same up to where the equations say that two
     * tokens were nearly as likely, and most were compared.
     *
     * @param near how close, as a share of the largest logit
     */
    static void assertSame(
            RandomModel model, int[][] prompts, int[][] expected, int[][] got, double near) {
        ReferenceDecoder reference = new ReferenceDecoder(model);
        int compared = 0;
        int all = 0;
        for (int i = 0; i < prompts.length; i++) {
            all += expected[i].length;
            int differs = Arrays.mismatch(expected[i], got[i]);
            compared += differs < 0 ? expected[i].length : differs;
            if (differs < 0) continue;
            int[] tokens = Arrays.copyOf(prompts[i], prompts[i].length + differs);
            System.arraycopy(expected[i], 0, tokens, prompts[i].length, differs);
            double[] logits = reference.logits(tokens, tokens.length, prompts[i].length);
            double gap = Math.abs(logits[expected[i][differs]] - logits[got[i][differs]]);
            double largest = Arrays.stream(logits).map(Math::abs).max().orElseThrow();
            assertTrue(
                    gap < near * largest,
                    "prompt %d of %d tokens, token %d: %d and %d are %f apart of %f"
                            .formatted(
                                    i,
                                    prompts[i].length,
                                    differs,
                                    expected[i][differs],
                                    got[i][differs],
                                    gap,
                                    largest));
        }
        assertTrue(
                compared > all / 2, "only %d of %d tokens were compared".formatted(compared, all));
    }
}
