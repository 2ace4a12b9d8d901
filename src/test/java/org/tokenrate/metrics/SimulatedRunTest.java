package org.tokenrate.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.simulated.SimulatedEngine;
import org.tokenrate.engine.simulated.SimulatedTiming;
import org.tokenrate.tokenizer.StreamingDetokenizer;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.workload.LoadGenerator;
import org.tokenrate.workload.LoadOptions;
import org.tokenrate.workload.RequestRecords;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/** A whole run on an engine whose schedule dictates what every figure must be. */
@Timeout(120)
class SimulatedRunTest {
    /** What a busy machine may add to the best and to the median of many times; only ever added. */
    private static final double BEST_NOISE_SECONDS = 0.010;

    private static final double MEDIAN_NOISE_SECONDS = 0.050;

    private static final double TTFT = 0.020;
    private static final double TPOT = 0.005;
    private static final int CONCURRENCY = 6;

    @TempDir Path folder;

    @Test
    void theMetricsAreWhatTheTimingDictates() throws Exception {
        var requests = new ArrayList<Workload.Request>();
        var random = new Random(4);
        long promptTokens = 0;
        long outputTokens = 0;
        double busySeconds = 0;
        for (int i = 0; i < 60; i++) {
            int prompt = 1 + random.nextInt(50);
            int output = 2 + random.nextInt(20);
            promptTokens += prompt;
            outputTokens += output;
            busySeconds += TTFT + (output - 1) * TPOT;
            requests.add(new Workload.Request(new int[prompt], output));
        }
        var m = ThroughputMetrics.of(run("simulated:20ms:5ms", requests, true));

        assertEquals(60, m.prompts());
        assertEquals(0, m.failed());
        assertEquals(promptTokens, m.promptTokens());
        assertEquals(outputTokens, m.generatedTokens());
        assertEquals(60, m.ttft().count());
        assertEquals(60, m.tpot().count());
        assertEquals(60, m.e2e().count());
        assertEquals(outputTokens - 60, m.itl().count());

        assertWithinNoise(TTFT, m.ttft());
        // A late token shortens the gap after it, so that only the middle is sure.
        assertEquals(TPOT, m.itl().mean(), TPOT / 2);
        assertEquals(TPOT, m.tpot().p50(), TPOT / 2);
        assertTrue(m.e2e().min() >= TTFT + TPOT);
        // A full loop takes at least the work over the workers, and at most one request more.
        double least = busySeconds / CONCURRENCY;
        assertTrue(m.durationSeconds() >= least, m.durationSeconds() + " s, least " + least);
        assertTrue(
                m.durationSeconds() < 2 * (least + TTFT + 21 * TPOT),
                m.durationSeconds() + " s, least " + least);
        assertEquals(60 * 60 / m.durationSeconds(), m.rpm(), 1e-9);
        assertEquals(outputTokens / m.durationSeconds(), m.outputTokensPerSecond(), 1e-9);
    }

    @Test
    void wholeAnswersHaveOnlyTheirEndToEndTime() throws Exception {
        var m = ThroughputMetrics.of(run("simulated:20ms:5ms", sameRequests(30, 5), false));
        assertEquals(30 * 5, m.generatedTokens());
        assertEquals(0, m.ttft().count() + m.itl().count() + m.tpot().count());
        assertWithinNoise(TTFT + 4 * TPOT, m.e2e());
    }

    @Test
    void failedRequestsAreCountedAndInNoOtherFigure() throws Exception {
        WorkloadResult result = run("simulated:fail=0.25", sameRequests(400, 10), true);
        var m = ThroughputMetrics.of(result);
        assertEquals(400, m.prompts() + m.failed());
        assertTrue(m.failed() > 60 && m.failed() < 140, m.failed() + " of 400 at 0.25");
        assertEquals(m.prompts() * 10L, m.generatedTokens());
        assertEquals(m.prompts() * 9L, m.itl().count());
        assertEquals(m.prompts(), m.e2e().count());
    }

    @Test
    void theFileOfRecordsGivesTheSameMetrics() throws Exception {
        WorkloadResult result = run("simulated:1ms:100us:fail=0.2", sameRequests(50, 8), true);
        Path file = folder.resolve("requests-1.jsonl");
        RequestRecords.write(file, result.records());
        assertEquals(
                ThroughputMetrics.of(result),
                ThroughputMetrics.of(WorkloadResult.of(true, RequestRecords.read(file))));
    }

    private static List<Workload.Request> sameRequests(int count, int outputTokens) {
        var requests = new ArrayList<Workload.Request>();
        for (int i = 0; i < count; i++) {
            requests.add(new Workload.Request(new int[] {1, 2, 3}, outputTokens));
        }
        return requests;
    }

    private static WorkloadResult run(
            String engine, List<Workload.Request> requests, boolean stream)
            throws InterruptedException {
        var options =
                new LoadOptions(CONCURRENCY, SamplingParams.GREEDY, stream, new NumberTokenizer());
        try (var simulated = new SimulatedEngine(SimulatedTiming.parse(engine))) {
            return LoadGenerator.run(simulated, new Workload(requests), options);
        }
    }

    private static void assertWithinNoise(double expected, LatencySummary actual) {
        assertTrue(actual.min() >= expected, "nothing is ever early: " + actual);
        assertTrue(actual.min() < expected + BEST_NOISE_SECONDS, actual.toString());
        assertTrue(actual.p50() < expected + MEDIAN_NOISE_SECONDS, actual.toString());
    }

    /** Text is the tokens' numbers. */
    private static final class NumberTokenizer implements Tokenizer {
        @Override
        public int[] encode(String text) {
            return text.strip().isEmpty()
                    ? new int[0]
                    : Arrays.stream(text.strip().split(" ")).mapToInt(Integer::parseInt).toArray();
        }

        @Override
        public String decode(int[] tokens) {
            var out = new StringBuilder();
            newDetokenizer().append(tokens, tokens.length, out);
            return out.toString();
        }

        @Override
        public int vocabularySize() {
            return Integer.MAX_VALUE;
        }

        @Override
        public StreamingDetokenizer newDetokenizer() {
            return new StreamingDetokenizer() {
                @Override
                public void append(int[] tokens, int count, StringBuilder out) {
                    for (int i = 0; i < count; i++) out.append(tokens[i]).append(' ');
                }

                @Override
                public void finish(StringBuilder out) {}
            };
        }

        @Override
        public void close() {}
    }
}
