package org.tokenrate.engine.simulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;

@Timeout(120)
class SimulatedEngineTest {

    @Test
    void everyTokenComesOnScheduleAndNeverEarly() throws Exception {
        try (var engine = engine("simulated:20ms:5ms")) {
            var heard = new ArrayList<Heard>();
            var submits = new ArrayList<Long>();
            for (int i = 0; i < 20; i++) {
                var h = new Heard();
                submits.add(System.nanoTime());
                engine.submit(request(10, i, true), h);
                heard.add(h);
            }
            var late = new ArrayList<Long>();
            for (int i = 0; i < 20; i++) {
                Heard h = heard.get(i);
                assertEquals("LENGTH", h.end());
                assertEquals(10, h.times.size());
                for (int k = 0; k < 10; k++) {
                    long due = submits.get(i) + 20_000_000 + k * 5_000_000L;
                    assertTrue(h.times.get(k) >= due, "token " + k + " came early");
                    late.add(h.times.get(k) - due);
                }
            }
            late.sort(null);
            // Generous: the machine may be busy.
            assertTrue(late.get(0) < 5_000_000, "even the best token was late: " + late);
            assertTrue(late.get(late.size() / 2) < 50_000_000, "most tokens were late: " + late);
        }
    }

    @Test
    void requestsDoNotWaitForEachOther() throws Exception {
        try (var engine = engine("simulated:300ms")) {
            long start = System.nanoTime();
            var heard = new ArrayList<Heard>();
            for (int i = 0; i < 10_000; i++) {
                heard.add(new Heard());
                engine.submit(request(1, i, true), heard.get(i));
            }
            for (Heard h : heard) assertEquals("LENGTH", h.end());
            // One after the other they would take 50 minutes.
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
            assertTrue(seconds < 20, seconds + " s");
        }
    }

    @Test
    void aWholeAnswerComesWhenItsLastTokenWouldHave() throws Exception {
        try (var engine = engine("simulated:10ms:2ms")) {
            var h = new Heard();
            long submit = System.nanoTime();
            engine.submit(request(9, 1, false), h);
            assertEquals("LENGTH", h.end());
            assertEquals(List.of(9), h.counts);
            assertTrue(h.times.get(0) - submit >= 26_000_000);
        }
    }

    @Test
    void aWholeAnswerMayBeLongerThanAnyBuffer() throws Exception {
        try (var engine = engine("simulated")) {
            var h = new Heard();
            engine.submit(request(100_000, 1, false), h);
            assertEquals("LENGTH", h.end());
            assertEquals(100_000, h.tokens.size());
        }
    }

    @Test
    void tokensFollowFromTheSeedAndStayInTheVocabulary() throws Exception {
        try (var engine = new SimulatedEngine(SimulatedTiming.ZERO, 100)) {
            List<Integer> streamed = tokens(engine, 7, true);
            assertEquals(streamed, tokens(engine, 7, true));
            assertEquals(streamed, tokens(engine, 7, false));
            assertFalse(streamed.equals(tokens(engine, 8, true)));
            assertTrue(streamed.stream().allMatch(t -> t >= 0 && t < 100));
            assertTrue(streamed.stream().distinct().count() > 90, "1,000 draws of 100");
        }
    }

    @Test
    void theFailRatioFailsThatShareAndTheSameRequestsEveryTime() throws Exception {
        List<String> ends = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (var engine = engine("simulated:fail=0.3")) {
                var all = new StringBuilder();
                for (int i = 0; i < 1_000; i++) {
                    var h = new Heard();
                    engine.submit(request(5, i, true), h);
                    String end = h.end();
                    boolean failed = !end.equals("LENGTH");
                    if (failed) assertEquals("simulated failure after 2 of 5 tokens", end);
                    assertEquals(failed ? 2 : 5, h.tokens.size());
                    all.append(failed ? 'F' : '.');
                }
                ends.add(all.toString());
            }
        }
        assertEquals(ends.get(0), ends.get(1));
        long failed = ends.get(0).chars().filter(c -> c == 'F').count();
        assertTrue(failed > 240 && failed < 360, failed + " of 1,000 at 0.3");
    }

    @Test
    void cancellingEndsARequestLongBeforeItsNextToken() throws Exception {
        try (var engine = engine("simulated:0:1000s")) {
            var h = new Heard();
            Generation g = engine.submit(request(5, 1, true), h);
            g.cancel();
            assertEquals("CANCELLED", h.end());
            assertTrue(h.tokens.size() <= 1);
            g.cancel();
            assertEquals(1, h.ends.get());
        }
    }

    @Test
    void cancellingWhatHasFinishedChangesNothing() throws Exception {
        try (var engine = engine("simulated")) {
            var h = new Heard();
            Generation g = engine.submit(request(5, 1, true), h);
            assertEquals("LENGTH", h.end());
            g.cancel();
            var next = new Heard();
            engine.submit(request(5, 1, true), next);
            assertEquals("LENGTH", next.end());
            assertEquals(1, h.ends.get());
        }
    }

    @Test
    void aListenerMayCancelItsOwnRequest() throws Exception {
        try (var engine = engine("simulated")) {
            var generation = new CompletableFuture<Generation>();
            var h =
                    new Heard() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            super.onTokens(tokens, count);
                            if (this.tokens.size() == 3) generation.join().cancel();
                        }
                    };
            generation.complete(engine.submit(request(1_000, 1, true), h));
            assertEquals("CANCELLED", h.end());
            assertEquals(3, h.tokens.size());
        }
    }

    @Test
    void closingFailsWhatIsInFlightAndRefusesWhatComesAfter() throws Exception {
        var engine = engine("simulated:1000s");
        var heard = new ArrayList<Heard>();
        for (int i = 0; i < 100; i++) {
            heard.add(new Heard());
            engine.submit(request(5, i, true), heard.get(i));
        }
        engine.close();
        for (Heard h : heard) {
            assertEquals("the engine was closed with the request in flight", h.end());
            assertEquals(1, h.ends.get());
        }
        var e =
                assertThrows(
                        IllegalStateException.class,
                        () -> engine.submit(request(5, 1, true), new Heard()));
        assertEquals("engine simulated:1000s:0 is closed", e.getMessage());
        engine.close();
    }

    @Test
    void everyRequestThatIsTakenHearsOneEndEvenWhenTheEngineClosesMeanwhile() throws Exception {
        for (int round = 0; round < 50; round++) {
            var engine = engine("simulated:10us:1us");
            var heard = new ConcurrentLinkedQueue<Heard>();
            var submitters = new ArrayList<Thread>();
            for (int t = 0; t < 3; t++) {
                var thread = new Thread(() -> submitUntilClosed(engine, heard));
                thread.start();
                submitters.add(thread);
            }
            Thread.sleep(2);
            engine.close();
            for (Thread t : submitters) t.join();
            for (Heard h : heard) {
                h.end();
                assertEquals(1, h.ends.get());
            }
        }
    }

    private static void submitUntilClosed(SimulatedEngine engine, Queue<Heard> heard) {
        for (int i = 0; ; i++) {
            var h = new Heard();
            try {
                Generation g = engine.submit(request(3, i, true), h);
                heard.add(h);
                if (i % 3 == 0) g.cancel();
            } catch (IllegalStateException closed) {
                return;
            }
        }
    }

    @Test
    void aListenerMayCloseTheEngine() throws Exception {
        var engine = engine("simulated");
        var h =
                new Heard() {
                    @Override
                    public void onTokens(int[] tokens, int count) {
                        engine.close();
                    }
                };
        engine.submit(request(5, 1, true), h);
        assertEquals("the engine was closed with the request in flight", h.end());
        engine.close();
    }

    @Test
    void aListenerThatThrowsFailsItsOwnRequestOnly() throws Exception {
        try (var engine = engine("simulated:1ms:1ms")) {
            var bad =
                    new Heard() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            throw new IllegalStateException("broken listener");
                        }
                    };
            var good = new Heard();
            engine.submit(request(3, 1, true), bad);
            engine.submit(request(3, 2, true), good);
            assertEquals("broken listener", bad.end());
            assertEquals("LENGTH", good.end());
        }
    }

    @Test
    void aRequestOverTheLimitIsRefusedWithItsNumbers() {
        try (var engine = engine("simulated")) {
            var e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> engine.submit(request(1 << 20, 1, true), new Heard()));
            assertEquals(
                    "2 prompt tokens and 1048576 new ones are 1048578, over the limit of 1048576",
                    e.getMessage());
        }
    }

    @Test
    void itIsFoundByNameWithItsTimesBehindIt() throws Exception {
        var options =
                new EngineOptions("simulated:2ms:1ms", "builtin", "hf", "auto", 1, 0.5, 8, true);
        Engines.validate(options);
        try (var engine = Engines.open(options)) {
            assertEquals("simulated:2ms:1ms", engine.info().name());
            assertEquals("simulated (no device)", engine.info().device());
        }
        var bad = new EngineOptions("simulated:2", "builtin", "hf", "auto", 1, 0.5, 8, true);
        assertThrows(IllegalArgumentException.class, () -> Engines.validate(bad));
    }

    private static SimulatedEngine engine(String name) {
        return new SimulatedEngine(SimulatedTiming.parse(name));
    }

    private static GenerationRequest request(int tokens, long seed, boolean stream) {
        var sampling = new SamplingParams(1, 1, 1, seed);
        return new GenerationRequest(new int[] {1, 2}, tokens, sampling, true, stream);
    }

    private static List<Integer> tokens(SimulatedEngine engine, long seed, boolean stream)
            throws Exception {
        var h = new Heard();
        engine.submit(request(1_000, seed, stream), h);
        assertEquals("LENGTH", h.end());
        return h.tokens;
    }

    /** Keeps all that a listener hears; read it after {@link #end}. */
    private static class Heard implements TokenListener {
        final List<Long> times = new ArrayList<>();
        final List<Integer> counts = new ArrayList<>();
        final List<Integer> tokens = new ArrayList<>();
        final AtomicInteger ends = new AtomicInteger();
        private final CompletableFuture<String> end = new CompletableFuture<>();

        @Override
        public void onTokens(int[] tokens, int count) {
            times.add(System.nanoTime());
            counts.add(count);
            Arrays.stream(tokens, 0, count).forEach(this.tokens::add);
        }

        @Override
        public void onFinished(FinishReason reason) {
            ends.incrementAndGet();
            end.complete(reason.name());
        }

        @Override
        public void onFailed(Exception cause) {
            ends.incrementAndGet();
            end.complete(cause.getMessage());
        }

        String end() throws Exception {
            return end.get(60, TimeUnit.SECONDS);
        }
    }
}
