package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.ReferenceDecoder;

/** The whole engine on the CPU device with small random models. */
class LocalEngineTest {
    private static final ModelConfig CONFIG = RandomModel.llama(64, 2, 8, 2, 32, 96, 211, false);
    private static final int ENOUGH_BLOCKS = 2000;
    private static final long SEED = 20261124;

    /** Where two logits are closer than this share of the largest, rounding may choose. */
    private static final Map<DType, Double> NEAR = Map.of(DType.F32, 1e-4, DType.BF16, 5e-2);

    private final RandomModel f32 = new RandomModel(CONFIG, DType.F32, new Random(SEED));
    private final RandomModel bf16 = new RandomModel(CONFIG, DType.BF16, new Random(SEED));

    private RandomModel model(DType dtype) {
        return dtype == DType.F32 ? f32 : bf16;
    }

    private LocalEngine engine(DType dtype, int blocks, int maxTokens, int maxRunning)
            throws Exception {
        return engine(dtype, 1, blocks, maxTokens, maxRunning);
    }

    private LocalEngine engine(DType dtype, int ranks, int blocks, int maxTokens, int maxRunning)
            throws Exception {
        RankedDecoder decoder = CpuDecoder.load(model(dtype), dtype, ranks, maxTokens, maxRunning);
        EngineInfo info = new EngineInfo("cpu", "", "", 1, "", "", "", blocks, 64, 0, 0, Map.of());
        return new LocalEngine(decoder, blocks, info, maxTokens, maxRunning);
    }

    /** Everything that a listener hears. */
    private static class Heard implements TokenListener {
        final List<Integer> tokens = new ArrayList<>();
        final CountDownLatch ended = new CountDownLatch(1);
        int calls;
        FinishReason reason;
        Exception failure;

        @Override
        public void onTokens(int[] some, int count) {
            calls++;
            for (int i = 0; i < count; i++) tokens.add(some[i]);
        }

        @Override
        public void onFinished(FinishReason reason) {
            this.reason = reason;
            ended.countDown();
        }

        @Override
        public void onFailed(Exception cause) {
            failure = cause;
            ended.countDown();
        }

        Heard await() throws InterruptedException {
            assertTrue(ended.await(60, TimeUnit.SECONDS), "the request did not end in a minute");
            return this;
        }

        int[] array() {
            return tokens.stream().mapToInt(i -> i).toArray();
        }
    }

    private static GenerationRequest greedy(int[] prompt, int count) {
        return new GenerationRequest(prompt, count, SamplingParams.GREEDY, true, true);
    }

    private static int[][] prompts(int count, int longest) {
        Random random = new Random(SEED + count);
        int[][] prompts = new int[count][];
        for (int i = 0; i < count; i++) {
            prompts[i] =
                    random.ints(1 + random.nextInt(longest), 0, CONFIG.vocabularySize()).toArray();
        }
        return prompts;
    }

    private static int[][] answers(LocalEngine engine, int[][] prompts, int count)
            throws InterruptedException {
        Heard[] heard = new Heard[prompts.length];
        for (int i = 0; i < prompts.length; i++) {
            heard[i] = new Heard();
            engine.submit(greedy(prompts[i], count + i % 5), heard[i]);
        }
        int[][] answers = new int[prompts.length][];
        for (int i = 0; i < prompts.length; i++) {
            assertEquals(FinishReason.LENGTH, heard[i].await().reason);
            answers[i] = heard[i].array();
            assertEquals(count + i % 5, answers[i].length);
        }
        return answers;
    }

    /**
     * The same tokens up to where the equations say that two were nearly as likely; says where it
     * stopped, and that most were compared.
     */
    private void assertSame(DType dtype, int[][] prompts, int[][] expected, int[][] got) {
        ReferenceDecoder reference = new ReferenceDecoder(model(dtype));
        int compared = 0;
        int all = 0;
        for (int i = 0; i < prompts.length; i++) {
            all += expected[i].length;
            int differs = Arrays.mismatch(expected[i], got[i]);
            compared += differs < 0 ? expected[i].length : differs;
            if (differs < 0) continue;
            int[] tokens = Arrays.copyOf(prompts[i], prompts[i].length + differs);
            System.arraycopy(expected[i], 0, tokens, prompts[i].length, differs);
            double[] logits = reference.logits(tokens, tokens.length);
            double gap = Math.abs(logits[expected[i][differs]] - logits[got[i][differs]]);
            double largest = Arrays.stream(logits).map(Math::abs).max().orElseThrow();
            assertTrue(
                    gap < NEAR.get(dtype) * largest,
                    "prompt %d, token %d: %d and %d are %f apart of %f"
                            .formatted(
                                    i,
                                    differs,
                                    expected[i][differs],
                                    got[i][differs],
                                    gap,
                                    largest));
            System.out.printf(
                    "%s prompt %d stops at token %d: the next two are %f apart%n",
                    dtype, i, differs, gap);
        }
        assertTrue(compared > all / 2, "only " + compared + " of " + all + " were compared");
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void greedyTokensEqualTheReference(DType dtype) throws Exception {
        assumeMultiplied(dtype);
        int[][] prompts = prompts(6, 90);
        ReferenceDecoder reference = new ReferenceDecoder(model(dtype));
        int[][] expected = new int[prompts.length][];
        for (int i = 0; i < prompts.length; i++) {
            int[] tokens = Arrays.copyOf(prompts[i], prompts[i].length + 20 + i % 5);
            for (int t = prompts[i].length; t < tokens.length; t++) {
                tokens[t] = largest(reference.logits(tokens, t));
            }
            expected[i] = Arrays.copyOfRange(tokens, prompts[i].length, tokens.length);
        }
        try (LocalEngine engine = engine(dtype, ENOUGH_BLOCKS, 256, 8)) {
            assertSame(dtype, prompts, expected, answers(engine, prompts, 20));
        }
    }

    private static int largest(double[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
        return best;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aRequestGetsTheSameTokensAloneInABatchAndChunked(DType dtype) throws Exception {
        assumeMultiplied(dtype);
        int[][] prompts = prompts(64, 200);
        int[][] alone = new int[prompts.length][];
        try (LocalEngine engine = engine(dtype, ENOUGH_BLOCKS, 512, 64)) {
            for (int i = 0; i < prompts.length; i++) {
                Heard heard = new Heard();
                engine.submit(greedy(prompts[i], 40 + i % 5), heard);
                alone[i] = heard.await().array();
            }
            assertSame(dtype, prompts, alone, answers(engine, prompts, 40));
            assertEquals(0, engine.counters().kvBlocksInUse());
            assertEquals(0, engine.counters().preemptions());
        }
        try (LocalEngine chunked = engine(dtype, ENOUGH_BLOCKS, 64 + 7, 64)) {
            assertSame(dtype, prompts, alone, answers(chunked, prompts, 40));
            assertEquals(0, chunked.counters().kvBlocksInUse());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aPreemptedRequestGoesOnWithTheSameTokens(DType dtype) throws Exception {
        assumeMultiplied(dtype);
        int[][] prompts = prompts(12, 60);
        int[][] roomy;
        try (LocalEngine engine = engine(dtype, ENOUGH_BLOCKS, 300, 12)) {
            roomy = answers(engine, prompts, 200);
            assertEquals(0, engine.counters().preemptions());
        }
        // Each comes to hold up to 5 blocks: 12 together would need about 50.
        try (LocalEngine tight = engine(dtype, 16, 300, 12)) {
            assertSame(dtype, prompts, roomy, answers(tight, prompts, 200));
            assertTrue(tight.counters().preemptions() > 0, "nothing was preempted");
            assertEquals(0, tight.counters().kvBlocksInUse());
            assertEquals(16, tight.counters().kvBlocksPeak());
        }
    }

    /**
     * 2 KV heads: 4 and 8 ranks hold them more than once. 211 tokens: no rank count divides them.
     */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void severalRanksGiveTheTokensOfOneAlsoAfterPreemption(int ranks) throws Exception {
        int[][] prompts = prompts(12, 60);
        int[][] one;
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 300, 12)) {
            one = answers(engine, prompts, 120);
        }
        try (LocalEngine tight = engine(DType.F32, ranks, 16, 300, 12)) {
            assertSame(DType.F32, prompts, one, answers(tight, prompts, 120));
            assertTrue(tight.counters().preemptions() > 0, "nothing was preempted");
            assertEquals(0, tight.counters().kvBlocksInUse());
            Heard again = new Heard();
            tight.submit(greedy(prompts[0], 30), again);
            Heard same = new Heard();
            again.await();
            tight.submit(greedy(prompts[0], 30), same);
            assertEquals(again.tokens, same.await().tokens);
        }
    }

    @Test
    void aDrawDependsOnTheSeedAndNotOnTheBatch() throws Exception {
        SamplingParams sampling = new SamplingParams(40, 0.9f, 1.1f, 99);
        GenerationRequest drawn =
                new GenerationRequest(new int[] {3, 4, 5}, 60, sampling, true, true);
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 256, 32)) {
            Heard first = new Heard();
            engine.submit(drawn, first);
            int[] alone = first.await().array();
            for (int[] prompt : prompts(20, 50)) engine.submit(greedy(prompt, 30), new Heard());
            Heard second = new Heard();
            engine.submit(drawn, second);
            assertArrayEquals(alone, second.await().array());
            Heard other = new Heard();
            engine.submit(
                    new GenerationRequest(
                            drawn.promptTokens(),
                            60,
                            new SamplingParams(40, 0.9f, 1.1f, 100),
                            true,
                            true),
                    other);
            assertTrue(!Arrays.equals(alone, other.await().array()), "seeds make no difference");
        }
    }

    @Test
    void aWholeAnswerComesOnceAtTheEnd() throws Exception {
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 64, 4)) {
            Heard streamed = new Heard();
            engine.submit(greedy(new int[] {1, 2, 3}, 10), streamed);
            assertEquals(10, streamed.await().calls);
            Heard whole = new Heard();
            engine.submit(
                    new GenerationRequest(
                            new int[] {1, 2, 3}, 10, SamplingParams.GREEDY, true, false),
                    whole);
            assertEquals(1, whole.await().calls);
            assertEquals(streamed.tokens, whole.tokens);
        }
    }

    @Test
    void anEndOfSequenceTokenEndsARequestThatHeedsIt() throws Exception {
        SamplingParams anything = new SamplingParams(0, 1f, 100f, 5);
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 64, 4)) {
            Heard heeding = new Heard();
            engine.submit(
                    new GenerationRequest(new int[] {1}, 1000, anything, false, true), heeding);
            assertEquals(FinishReason.STOP, heeding.await().reason);
            assertEquals(7, heeding.tokens.get(heeding.tokens.size() - 1));
            Heard ignoring = new Heard();
            engine.submit(
                    new GenerationRequest(new int[] {1}, 1000, anything, true, true), ignoring);
            assertEquals(FinishReason.LENGTH, ignoring.await().reason);
            assertEquals(heeding.tokens, ignoring.tokens.subList(0, heeding.tokens.size()));
        }
    }

    @Test
    void aCancelledRequestEndsAndGivesItsBlocksBack() throws Exception {
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 64, 2)) {
            CountDownLatch some = new CountDownLatch(5);
            Heard heard =
                    new Heard() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            super.onTokens(tokens, count);
                            some.countDown();
                        }
                    };
            Generation generation = engine.submit(greedy(new int[] {1}, 1000), heard);
            assertTrue(some.await(60, TimeUnit.SECONDS));
            generation.cancel();
            assertEquals(FinishReason.CANCELLED, heard.await().reason);
            assertTrue(heard.tokens.size() < 1000);
            assertEquals(0, engine.counters().kvBlocksInUse());
        }
    }

    @Test
    void closingFailsWhatIsInFlight() throws Exception {
        LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 64, 2);
        List<Heard> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            all.add(new Heard());
            engine.submit(greedy(new int[] {1}, 1000), all.get(i));
        }
        engine.close();
        for (Heard heard : all) {
            assertEquals("the engine was closed", heard.await().failure.getMessage());
        }
        engine.close();
        assertThrows(
                IllegalStateException.class,
                () -> engine.submit(greedy(new int[] {1}, 1), new Heard()));
    }

    @Test
    void aListenerThatThrowsHarmsNobodyElse() throws Exception {
        try (LocalEngine engine = engine(DType.F32, ENOUGH_BLOCKS, 64, 4)) {
            Heard broken =
                    new Heard() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            throw new IllegalStateException("on purpose");
                        }
                    };
            Heard fine = new Heard();
            engine.submit(greedy(new int[] {1}, 50), broken);
            engine.submit(greedy(new int[] {1}, 50), fine);
            assertEquals(FinishReason.LENGTH, fine.await().reason);
            assertEquals(0, engine.counters().kvBlocksInUse());
        }
    }

    @Test
    void whatCanNeverRunIsRefusedWithItsNumbers() throws Exception {
        try (LocalEngine engine = engine(DType.F32, 2, 64, 2)) {
            assertRefused(engine, greedy(new int[500], 600), "context of 1024");
            assertRefused(engine, greedy(new int[100], 29), "KV cache of 128 tokens");
            assertRefused(engine, greedy(new int[] {211}, 1), "token 211");
            assertRefused(engine, greedy(new int[] {-1}, 1), "token -1");
            Heard fits = new Heard();
            engine.submit(greedy(new int[100], 28), fits);
            assertEquals(28, fits.await().tokens.size());
        }
    }

    private static void assertRefused(LocalEngine engine, GenerationRequest r, String why) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> engine.submit(r, new Heard()))
                        .getMessage();
        assertTrue(message.contains(why), message);
    }
}
