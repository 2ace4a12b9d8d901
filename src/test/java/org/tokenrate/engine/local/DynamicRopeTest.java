package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.Architecture;
import org.tokenrate.model.AttentionConfig;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.ReferenceDecoder;

/**
 * Under dynamic rope scaling a key depends on how long its sequence was when it was written: what
 * is computed again after a preemption must come out as it was.
 */
class DynamicRopeTest {
    private static final long SEED = 404;
    private static final int ANSWER = 150;
    private static final ModelConfig CONFIG =
            new ModelConfig(
                    Architecture.INTERNLM2,
                    64,
                    2,
                    AttentionConfig.plain(8, 2, 32),
                    96,
                    false,
                    211,
                    512,
                    1e-5f,
                    new Rope(10000f, new RopeScaling.DynamicNtk(8, 32)),
                    false,
                    List.of());

    /** Where two logits are closer than this share of the largest, rounding may choose. */
    private static final double NEAR = 1e-4;

    private final RandomModel model = new RandomModel(CONFIG, DType.F32, new Random(SEED));

    private LocalEngine engine(int blocks) throws Exception {
        RankedDecoder decoder = CpuDecoder.load(model, DType.F32, 1, 128, 8);
        EngineInfo info = new EngineInfo("cpu", "", "", 1, "", "", "", blocks, 64, 0, 0, Map.of());
        return new LocalEngine(decoder, blocks, info, 128, 8);
    }

    /** The greedy answers to all prompts at once. */
    private static int[][] answers(LocalEngine engine, int[][] prompts) throws Exception {
        CountDownLatch left = new CountDownLatch(prompts.length);
        List<Exception> failures = new ArrayList<>();
        int[][] answers = new int[prompts.length][];
        for (int i = 0; i < prompts.length; i++) {
            int index = i;
            engine.submit(
                    new GenerationRequest(prompts[i], ANSWER, SamplingParams.GREEDY, true, false),
                    new TokenListener() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            answers[index] = Arrays.copyOf(tokens, count);
                        }

                        @Override
                        public void onFinished(FinishReason reason) {
                            left.countDown();
                        }

                        @Override
                        public void onFailed(Exception cause) {
                            failures.add(cause);
                            left.countDown();
                        }
                    });
        }
        assertTrue(left.await(60, TimeUnit.SECONDS), "the requests did not end in a minute");
        assertEquals(List.of(), failures);
        return answers;
    }

    @Test
    void aPreemptedRequestGoesOnWithTheSameTokens() throws Exception {
        Random random = new Random(SEED);
        int[][] prompts = new int[8][];
        for (int i = 0; i < prompts.length; i++) {
            prompts[i] = random.ints(10 + 12 * i, 0, CONFIG.vocabularySize()).toArray();
        }
        int[][] roomy;
        try (LocalEngine engine = engine(100)) {
            roomy = answers(engine, prompts);
            assertEquals(0, engine.counters().preemptions());
        }
        int[][] tight;
        try (LocalEngine engine = engine(10)) {
            tight = answers(engine, prompts);
            assertTrue(engine.counters().preemptions() > 0, "nothing was preempted");
        }
        int compared = 0;
        for (int i = 0; i < prompts.length; i++) compared += same(prompts[i], roomy[i], tight[i]);
        assertTrue(compared > prompts.length * ANSWER / 2, "only " + compared + " were compared");
    }

    /** How many tokens are the same before two that were nearly as likely; fails at others. */
    private int same(int[] prompt, int[] expected, int[] got) {
        int differs = Arrays.mismatch(expected, got);
        if (differs < 0) return expected.length;
        int[] tokens = Arrays.copyOf(prompt, prompt.length + differs);
        System.arraycopy(expected, 0, tokens, prompt.length, differs);
        double[] logits = new ReferenceDecoder(model).logits(tokens, tokens.length, prompt.length);
        double gap = Math.abs(logits[expected[differs]] - logits[got[differs]]);
        double largest = Arrays.stream(logits).map(Math::abs).max().orElseThrow();
        assertTrue(
                gap < NEAR * largest,
                "seed %d, prompt of %d: token %d differs".formatted(SEED, prompt.length, differs));
        return differs;
    }
}
