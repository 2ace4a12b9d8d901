package org.tokenrate.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.simulated.SimulatedEngine;
import org.tokenrate.engine.simulated.SimulatedTiming;

@Timeout(120)
class LoadGeneratorTest {

    @Test
    void theLoopIsKeptFullAndNeverOverfull() throws Exception {
        var inFlight = ScriptedEngine.newQueue();
        int total = 50;
        int concurrency = 7;
        var run =
                start(
                        ScriptedEngine.leavingInFlight(inFlight),
                        workload(total, 3),
                        options(concurrency));
        var open = new ArrayList<ScriptedEngine.Submitted>();
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int ended = 0; ended < total; ended++) {
            int expected = Math.min(concurrency, total - ended);
            while (open.size() < expected) open.add(ScriptedEngine.take(inFlight));
            assertTrue(inFlight.isEmpty(), "more than " + expected + " in flight, seed " + seed);
            open.remove(random.nextInt(open.size())).complete();
        }
        WorkloadResult result = run.get();
        assertEquals(total, result.records().size());
        assertTrue(result.records().stream().noneMatch(RequestRecord::failed));
    }

    @Test
    void requestsAreSubmittedInTheWorkloadsOrder() throws Exception {
        var lengths = new ArrayList<Integer>();
        var engine =
                new ScriptedEngine(
                        s -> {
                            lengths.add(s.request.maxNewTokens());
                            s.complete();
                        });
        var requests = new ArrayList<Workload.Request>();
        for (int i = 1; i <= 20; i++) requests.add(request(i));
        WorkloadResult result = LoadGenerator.run(engine, new Workload(requests), options(4));
        assertEquals(IntStream.rangeClosed(1, 20).boxed().toList(), lengths);
        for (int i = 0; i < 20; i++) assertEquals(i, result.records().get(i).index());
    }

    @Test
    void anEngineThatEndsRequestsInsideItsSubmitDoesNotGrowTheStack() throws Exception {
        WorkloadResult result =
                LoadGenerator.run(
                        new ScriptedEngine(ScriptedEngine.Submitted::complete),
                        workload(100_000, 1),
                        options(256));
        assertTrue(result.records().stream().noneMatch(RequestRecord::failed));
    }

    @Test
    void anEngineThatEndsRequestsOnItsOwnThreadAtOnceDoesNotGrowTheStack() throws Exception {
        try (var engine = new SimulatedEngine(SimulatedTiming.ZERO)) {
            WorkloadResult result = LoadGenerator.run(engine, workload(5_000, 17), options(256));
            assertEquals(5_000 * 17, generated(result));
        }
    }

    @Test
    void tenThousandRequestsInFlightNeedNoThreads() throws Exception {
        var inFlight = ScriptedEngine.newQueue();
        int before = Thread.activeCount();
        var run =
                start(
                        ScriptedEngine.leavingInFlight(inFlight),
                        workload(12_000, 2),
                        options(10_000));
        var open = new ArrayList<ScriptedEngine.Submitted>();
        while (open.size() < 10_000) open.add(ScriptedEngine.take(inFlight));
        assertTrue(inFlight.isEmpty());
        int during = Thread.activeCount();
        assertTrue(during <= before + 3, during + " threads, before " + before);
        open.forEach(ScriptedEngine.Submitted::complete);
        for (int i = 0; i < 2_000; i++) ScriptedEngine.take(inFlight).complete();
        assertEquals(24_000, generated(run.get()));
    }

    /** Ends race with the return of their own submits, and with each other. */
    @Test
    void anEngineOfManyThreadsLosesNoRequest() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            var engine = new ScriptedEngine(s -> threads.execute(s::complete));
            for (int round = 0; round < 20; round++) {
                WorkloadResult result = LoadGenerator.run(engine, workload(5_000, 2), options(16));
                assertEquals(10_000, generated(result));
                assertTrue(mostAtOnce(result.records()) <= 16);
            }
        } finally {
            threads.shutdown();
        }
    }

    /** The most requests between their submit and their finish at any time. */
    private static int mostAtOnce(List<RequestRecord> records) {
        long[] submits = records.stream().mapToLong(RequestRecord::submitNanos).sorted().toArray();
        long[] ends = records.stream().mapToLong(RequestRecord::finishNanos).sorted().toArray();
        int most = 0;
        int ended = 0;
        for (int i = 0; i < submits.length; i++) {
            while (ends[ended] <= submits[i]) ended++;
            most = Math.max(most, i + 1 - ended);
        }
        return most;
    }

    @Test
    void moreConcurrencyThanRequestsSubmitsEachOnce() throws Exception {
        try (var engine = new SimulatedEngine(SimulatedTiming.ZERO)) {
            WorkloadResult result = LoadGenerator.run(engine, workload(3, 5), options(64));
            assertEquals(15, generated(result));
        }
    }

    @Test
    void concurrencyOneRunsOneRequestAfterTheOther() throws Exception {
        try (var engine = new SimulatedEngine(timing("1ms", "100us"))) {
            WorkloadResult result = LoadGenerator.run(engine, workload(20, 4), options(1));
            for (int i = 1; i < 20; i++) {
                RequestRecord earlier = result.records().get(i - 1);
                assertTrue(result.records().get(i).submitNanos() >= earlier.finishNanos());
            }
        }
    }

    @Test
    void stepsAreNotedWithTheirTimesAndTokens() throws Exception {
        var engine =
                new ScriptedEngine(
                        s -> {
                            s.send(2);
                            s.send(1);
                            s.send(3);
                            s.finish();
                        });
        RequestRecord r = LoadGenerator.run(engine, workload(1, 6), options(1)).records().get(0);
        assertArrayEquals(new int[] {2, 1, 3}, r.stepTokens());
        assertEquals(3, r.stepNanos().length);
        assertEquals(r.stepNanos()[0], r.firstTokenNanos());
        assertTrue(r.submitNanos() >= 0 && r.submitNanos() <= r.firstTokenNanos());
        assertTrue(r.stepNanos()[0] <= r.stepNanos()[1] && r.stepNanos()[1] <= r.stepNanos()[2]);
        assertTrue(r.stepNanos()[2] <= r.finishNanos());
        assertEquals("length", r.finishReason());
        assertEquals("", r.error());
    }

    @Test
    void anAnswerThatComesWholeHasNoFirstTokenTimeAndNoSteps() throws Exception {
        var options = new LoadOptions(2, SamplingParams.GREEDY, false, new LetterTokenizer());
        try (var engine = new SimulatedEngine(timing("1ms", "100us"))) {
            WorkloadResult result = LoadGenerator.run(engine, workload(6, 9), options);
            assertFalse(result.streamed());
            for (RequestRecord r : result.records()) {
                assertEquals(9, r.generatedTokens());
                assertEquals(-1, r.firstTokenNanos());
                assertEquals(0, r.stepNanos().length);
                assertTrue(r.finishNanos() - r.submitNanos() >= 1_800_000);
            }
        }
    }

    @Test
    void everyTokenIsDetokenizedInItsOrder() throws Exception {
        var seen = new ArrayList<Integer>();
        var tokenizer = new LetterTokenizer(seen::add);
        var engine =
                new ScriptedEngine(
                        s -> {
                            s.listener.onTokens(new int[] {7, 8, 99}, 2);
                            s.listener.onTokens(new int[] {9}, 1);
                            s.finish();
                        });
        var options = new LoadOptions(1, SamplingParams.GREEDY, true, tokenizer);
        LoadGenerator.run(engine, workload(2, 3), options);
        assertEquals(List.of(7, 8, 9, 7, 8, 9), seen);
    }

    @Test
    void everyRequestHasItsOwnSeedAndEveryRunTheSameOnes() throws Exception {
        assertEquals(seedsOf(1), seedsOf(1));
        assertEquals(100, new HashSet<>(seedsOf(1)).size());
        assertFalse(seedsOf(1).equals(seedsOf(2)));
    }

    private static List<Long> seedsOf(long runSeed) throws InterruptedException {
        var seeds = new ArrayList<Long>();
        var engine =
                new ScriptedEngine(
                        s -> {
                            assertEquals(40, s.request.sampling().topK());
                            assertTrue(s.request.ignoreEos());
                            seeds.add(s.request.sampling().seed());
                            s.complete();
                        });
        var sampling = new SamplingParams(40, 0.8f, 0.7f, runSeed);
        LoadGenerator.run(
                engine,
                workload(100, 1),
                new LoadOptions(8, sampling, true, new LetterTokenizer()));
        return seeds;
    }

    @Test
    void aRefusedRequestIsNamedAndTheLoopGoesOn() throws Exception {
        var count = new AtomicInteger();
        var engine =
                new ScriptedEngine(
                        s -> {
                            if (count.getAndIncrement() % 3 == 1) {
                                throw new IllegalArgumentException("4000 tokens are over 2048");
                            }
                            s.complete();
                        });
        WorkloadResult result = LoadGenerator.run(engine, workload(30, 2), options(4));
        assertEquals(10, result.records().stream().filter(RequestRecord::failed).count());
        RequestRecord refused = result.records().get(1);
        assertEquals("4000 tokens are over 2048", refused.error());
        assertEquals("failed", refused.finishReason());
        assertEquals(-1, refused.firstTokenNanos());
    }

    @Test
    void aRequestThatIsNoneIsRefusedToo() throws Exception {
        var requests =
                List.of(
                        request(2),
                        new Workload.Request(new int[0], 2),
                        new Workload.Request(new int[] {1}, -1),
                        request(2));
        var engine = new ScriptedEngine(ScriptedEngine.Submitted::complete);
        WorkloadResult result = LoadGenerator.run(engine, new Workload(requests), options(2));
        assertEquals("a prompt needs at least one token", result.records().get(1).error());
        assertEquals("maxNewTokens=-1 must be at least 1", result.records().get(2).error());
        assertFalse(result.records().get(3).failed());
    }

    @Test
    void aFailureKeepsWhatWasSeenBeforeIt() throws Exception {
        var engine =
                new ScriptedEngine(
                        s -> {
                            s.send(1);
                            s.send(1);
                            s.listener.onFailed(new IOException("device lost"));
                        });
        RequestRecord r = LoadGenerator.run(engine, workload(1, 6), options(1)).records().get(0);
        assertEquals("IOException: device lost", r.error());
        assertEquals(2, r.generatedTokens());
        assertEquals(2, r.stepNanos().length);
    }

    @Test
    void anAnswerOfTheWrongLengthIsAFailure() throws Exception {
        assertEquals(
                "the engine said LENGTH after 12 of 40 tokens",
                errorOf(40, s -> sendAndFinish(s, 12, FinishReason.LENGTH)));
        assertEquals(
                "the engine said STOP after 12 of 40 tokens",
                errorOf(40, s -> sendAndFinish(s, 12, FinishReason.STOP)));
        assertEquals(
                "the engine said LENGTH after 41 of 40 tokens",
                errorOf(40, s -> sendAndFinish(s, 41, FinishReason.LENGTH)));
        assertEquals(
                "the engine said CANCELLED after 40 of 40 tokens",
                errorOf(40, s -> sendAndFinish(s, 40, FinishReason.CANCELLED)));
        assertEquals("", errorOf(40, s -> sendAndFinish(s, 40, FinishReason.STOP)));
    }

    private static void sendAndFinish(ScriptedEngine.Submitted s, int tokens, FinishReason reason) {
        for (int i = 0; i < tokens; i++) s.send(1);
        s.listener.onFinished(reason);
    }

    @Test
    void anEngineThatGoesOnAfterTheEndIsFoundOut() throws Exception {
        assertEquals(
                "the engine ended the request twice",
                errorOf(
                        2,
                        s -> {
                            s.complete();
                            s.finish();
                        }));
        assertEquals(
                "the engine sent tokens after the request's end",
                errorOf(
                        2,
                        s -> {
                            s.complete();
                            s.send(1);
                        }));
    }

    @Test
    void aDetokenizerThatThrowsFailsItsRequestOnly() throws Exception {
        var tokens = new AtomicInteger();
        var tokenizer =
                new LetterTokenizer(
                        t -> {
                            if (tokens.incrementAndGet() == 4) {
                                throw new IllegalArgumentException("token 300 is unknown");
                            }
                        });
        try (var engine = new SimulatedEngine(SimulatedTiming.ZERO)) {
            var options = new LoadOptions(1, SamplingParams.GREEDY, true, tokenizer);
            WorkloadResult result = LoadGenerator.run(engine, workload(5, 3), options);
            assertEquals(1, result.records().stream().filter(RequestRecord::failed).count());
            assertEquals(
                    "the detokenizer failed: token 300 is unknown",
                    result.records().get(1).error());
        }
    }

    @Test
    void anErrorOfTheJvmOnTheEnginesThreadEndsTheRun() {
        var thrown = new OutOfMemoryError("made up");
        var tokenizer =
                new LetterTokenizer(
                        t -> {
                            throw thrown;
                        });
        try (var engine = new SimulatedEngine(timing("1ms", "0"))) {
            var options = new LoadOptions(1, SamplingParams.GREEDY, true, tokenizer);
            assertSame(
                    thrown,
                    assertThrows(
                            OutOfMemoryError.class,
                            () -> LoadGenerator.run(engine, workload(5, 3), options)));
        }
    }

    @Test
    void aStalledEngineEndsTheRunWithItsNumbers() {
        var inFlight = ScriptedEngine.newQueue();
        var options = options(4).withStallTimeout(Duration.ofMillis(300));
        var e =
                assertThrows(
                        EngineStalledException.class,
                        () ->
                                LoadGenerator.run(
                                        ScriptedEngine.leavingInFlight(inFlight),
                                        workload(9, 5),
                                        options));
        assertTrue(e.getMessage().startsWith("engine scripted was silent for "), e.getMessage());
        assertTrue(
                e.getMessage().contains("9 of 9 requests to go; the oldest is request 0 (0 of 5"),
                e.getMessage());
        assertEquals(4, inFlight.size());
        assertTrue(inFlight.stream().allMatch(s -> s.cancelled), "all in flight are cancelled");
    }

    @Test
    void anEngineThatIsSlowButAliveIsNotStalled() throws Exception {
        try (var engine = new SimulatedEngine(timing("100ms", "100ms"))) {
            var options = options(1).withStallTimeout(Duration.ofMillis(1_500));
            WorkloadResult result = LoadGenerator.run(engine, workload(1, 25), options);
            assertEquals(25, generated(result));
        }
    }

    @Test
    void anInterruptCancelsWhatIsInFlight() throws Exception {
        var inFlight = ScriptedEngine.newQueue();
        var run = start(ScriptedEngine.leavingInFlight(inFlight), workload(9, 5), options(2));
        var first = ScriptedEngine.take(inFlight);
        var second = ScriptedEngine.take(inFlight);
        run.thread.interrupt();
        var e = assertThrows(ExecutionException.class, run::get);
        assertTrue(e.getCause() instanceof InterruptedException);
        assertTrue(first.cancelled && second.cancelled);
        first.complete();
        assertTrue(inFlight.isEmpty(), "a run that is given up submits nothing more");
    }

    @Test
    void anEngineClosedDuringARunEndsItWithFailures() throws Exception {
        var engine = new SimulatedEngine(timing("60s", "10ms"));
        var run = start(engine, workload(200, 50), options(10));
        Thread.sleep(100);
        engine.close();
        WorkloadResult result = run.get();
        assertEquals(200, result.records().stream().filter(RequestRecord::failed).count());
    }

    @Test
    void progressEndsAtTheTotal() throws Exception {
        var seen = new ConcurrentLinkedQueue<List<Integer>>();
        try (var engine = new SimulatedEngine(timing("50ms", "0"))) {
            var options =
                    options(2)
                            .withProgress(
                                    (ended, failed, total) ->
                                            seen.add(List.of(ended, failed, total)));
            LoadGenerator.run(engine, workload(16, 2), options);
        }
        var all = new ArrayList<>(seen);
        assertEquals(List.of(16, 0, 16), all.get(all.size() - 1));
        assertTrue(all.size() > 1, "400 ms bring more than the last word: " + all);
    }

    @Test
    void aProgressListenerThatThrowsIsNotHeardAgainAndTheRunGoesOn() throws Exception {
        var calls = new AtomicInteger();
        try (var engine = new SimulatedEngine(timing("150ms", "0"))) {
            var options =
                    options(1)
                            .withProgress(
                                    (ended, failed, total) -> {
                                        calls.incrementAndGet();
                                        throw new IllegalStateException("no terminal");
                                    });
            assertEquals(4, generated(LoadGenerator.run(engine, workload(2, 2), options)));
        }
        assertEquals(1, calls.get());
    }

    @Test
    void theDurationIsFromTheFirstSubmitToTheLastFinish() throws Exception {
        try (var engine = new SimulatedEngine(timing("5ms", "1ms"))) {
            WorkloadResult result = LoadGenerator.run(engine, workload(9, 4), options(3));
            long first = Long.MAX_VALUE;
            long last = 0;
            for (RequestRecord r : result.records()) {
                first = Math.min(first, r.submitNanos());
                last = Math.max(last, r.finishNanos());
            }
            assertEquals(last - first, result.durationNanos());
        }
    }

    @Test
    void badOptionsAreRefusedWithAnExample() {
        var e = assertThrows(IllegalArgumentException.class, () -> options(0));
        assertEquals("concurrency=0 must be at least 1, e.g. 256", e.getMessage());
        assertThrows(
                IllegalArgumentException.class, () -> options(1).withStallTimeout(Duration.ZERO));
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        LoadGenerator.run(
                                new ScriptedEngine(s -> {}), new Workload(List.of()), options(1)));
    }

    private static String errorOf(int tokens, Consumer<ScriptedEngine.Submitted> script)
            throws InterruptedException {
        return LoadGenerator.run(new ScriptedEngine(script), workload(1, tokens), options(1))
                .records()
                .get(0)
                .error();
    }

    private static SimulatedTiming timing(String ttft, String tpot) {
        return SimulatedTiming.parse("simulated:" + ttft + ":" + tpot);
    }

    private static LoadOptions options(int concurrency) {
        return new LoadOptions(concurrency, SamplingParams.GREEDY, true, new LetterTokenizer());
    }

    private static Workload workload(int requests, int outputTokens) {
        return new Workload(
                IntStream.range(0, requests).mapToObj(i -> request(outputTokens)).toList());
    }

    private static Workload.Request request(int outputTokens) {
        return new Workload.Request(new int[] {1, 2, 3}, outputTokens);
    }

    private static long generated(WorkloadResult result) {
        var errors = new AtomicReference<>("");
        result.records().forEach(r -> errors.accumulateAndGet(r.error(), String::concat));
        assertEquals("", errors.get());
        return result.records().stream().mapToLong(RequestRecord::generatedTokens).sum();
    }

    /** A run on a thread of its own. */
    private static final class Running extends FutureTask<WorkloadResult> {
        final Thread thread = new Thread(this, "run");

        Running(InferenceEngine engine, Workload workload, LoadOptions options) {
            super(() -> LoadGenerator.run(engine, workload, options));
        }
    }

    private static Running start(InferenceEngine engine, Workload workload, LoadOptions options) {
        var running = new Running(engine, workload, options);
        running.thread.start();
        return running;
    }
}
