package org.tokenrate.engine.simulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.workload.Workload;

class NoiseTest {
    private static final SimulatedTiming NOISY =
            SimulatedTiming.parse("simulated:2ms:1ms:noise=0.5/0.2/0.2:seed=3");

    @Test
    void factorsHaveTheMeanOneAndTheSpreadAskedFor() {
        long seed = System.nanoTime();
        var random = new SplittableRandom(seed);
        int n = 200_000;
        double sum = 0;
        double squares = 0;
        double logs = 0;
        for (int i = 0; i < n; i++) {
            double f = NoiseSource.factor(0.3, random);
            sum += f;
            logs += Math.log(f);
            squares += Math.pow(Math.log(f), 2);
        }
        assertEquals(1, sum / n, 0.005, "seed " + seed);
        assertEquals(0.3, Math.sqrt(squares / n - Math.pow(logs / n, 2)), 0.005, "seed " + seed);
    }

    @Test
    void theSameSeedWorkloadAndRequestGiveTheSameTimes() {
        assertArrayEquals(times(3, 0, 7), times(3, 0, 7));
        assertFalse(Arrays.equals(times(3, 0, 7), times(3, 0, 8)), "another request");
        assertFalse(Arrays.equals(times(3, 0, 7), times(3, 1, 7)), "another workload");
        assertFalse(Arrays.equals(times(3, 0, 7), times(4, 0, 7)), "another fork");
    }

    @Test
    void withoutASeedAJvmHasOneOfItsOwnAndKeepsIt() {
        var noise = SimulatedTiming.parse("simulated:noise=0.1").noise();
        assertEquals(new NoiseSource(noise).seed(), new NoiseSource(noise).seed());
    }

    /** Iteration and fork noise alone: every token of a workload is off by the same factor. */
    @Test
    void aWorkloadsFactorIsSharedByAllItsTokens() {
        var timing = SimulatedTiming.parse("simulated:1s:1s:noise=0/0.2/0.2");
        var source = new NoiseSource(timing.noise(), 1);
        long first = source.schedule(timing, 0, 1).firstNanos();
        assertEquals(first, source.schedule(timing, 0, 2).nextNanos());
        assertFalse(first == source.schedule(timing, 1, 1).firstNanos());
    }

    @Test
    void theDelayComesBeforeEveryToken() {
        var timing = SimulatedTiming.parse("simulated:20ms:5ms:delay=150us");
        var m = ThroughputMetrics.of(new VirtualRun(timing, 1).next(workload(40, 10), 4, 0));
        assertEquals(0.020150, m.ttft().p50(), 1e-12);
        assertEquals(0.005150, m.itl().p50(), 1e-12);
        // Ten rounds of four, each of a first token and nine more.
        assertEquals(10 * (0.020150 + 9 * 0.005150), m.durationSeconds(), 1e-9);
    }

    @Test
    void theEngineIsNeverEarlierThanTheScheduleOfItsWorkload() throws Exception {
        try (var engine = new SimulatedEngine(NOISY)) {
            for (int workload = 0; workload < 3; workload++) {
                TokenSchedule schedule =
                        new NoiseSource(NOISY.noise()).schedule(NOISY, workload, 9);
                long due = System.nanoTime() + schedule.firstNanos();
                for (long time : heard(engine, 9, 5)) {
                    assertTrue(time >= due, "workload " + workload);
                    due += schedule.nextNanos();
                }
            }
        }
    }

    private static long[] times(long forkSeed, long workload, long requestSeed) {
        TokenSchedule s =
                new NoiseSource(NOISY.noise(), forkSeed).schedule(NOISY, workload, requestSeed);
        return new long[] {s.firstNanos(), s.nextNanos(), s.nextNanos()};
    }

    private static Workload workload(int requests, int tokens) {
        var all = new ArrayList<Workload.Request>();
        for (int i = 0; i < requests; i++) all.add(new Workload.Request(new int[3], tokens));
        return new Workload(all);
    }

    /** When one request's tokens came, and the engine is idle again. */
    private static long[] heard(SimulatedEngine engine, long seed, int tokens) throws Exception {
        var times = new ArrayList<Long>();
        var end = new CompletableFuture<String>();
        engine.submit(
                new GenerationRequest(
                        new int[] {1}, tokens, new SamplingParams(1, 1, 1, seed), true, true),
                new TokenListener() {
                    @Override
                    public void onTokens(int[] ids, int count) {
                        times.add(System.nanoTime());
                    }

                    @Override
                    public void onFinished(FinishReason reason) {
                        end.complete(reason.name());
                    }

                    @Override
                    public void onFailed(Exception cause) {
                        end.completeExceptionally(cause);
                    }
                });
        assertEquals("LENGTH", end.get(60, TimeUnit.SECONDS));
        return times.stream().mapToLong(t -> t).toArray();
    }
}
