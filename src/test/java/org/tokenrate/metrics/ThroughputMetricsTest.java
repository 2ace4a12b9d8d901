package org.tokenrate.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

class ThroughputMetricsTest {
    private static final long MS = 1_000_000;
    private static final double TIGHT = 1e-12;

    /** Two completed requests and a failed one, all figures worked out on paper. */
    @Test
    void theFiguresAreThoseWorkedOutByHand() {
        RequestRecord a = streamed(0, 100, 0, 20, new long[] {20, 30, 60}, new int[] {1, 1, 1});
        RequestRecord b = streamed(1, 50, 10, 70, new long[] {70, 80}, new int[] {2, 3});
        RequestRecord c = failed(2, 999, 5, new long[] {6, 7}, 400);
        var m = ThroughputMetrics.of(WorkloadResult.of(true, List.of(a, b, c)));

        assertEquals(2, m.prompts());
        assertEquals(1, m.failed());
        assertEquals(0.4, m.durationSeconds(), TIGHT, "the failed request ended last");
        assertEquals(150, m.promptTokens());
        assertEquals(8, m.generatedTokens());
        assertEquals(5, m.rps(), TIGHT);
        assertEquals(300, m.rpm(), TIGHT);
        assertEquals(20, m.outputTokensPerSecond(), TIGHT);
        assertEquals(395, m.totalTokensPerSecond(), TIGHT);

        // TTFT: 20 ms and 60 ms.
        assertSummary(m.ttft(), 2, 40, 20, 60, 40, 50, 58, 59.6);
        // ITL: 10, 30 and 10 ms.
        assertSummary(m.itl(), 3, 50 / 3.0, 10, 30, 10, 20, 28, 29.6);
        // TPOT: 40 ms for 2 tokens after the first; 10 ms for 3 after the first two.
        assertSummary(
                m.tpot(), 2, 35 / 3.0, 10 / 3.0, 20, 35 / 3.0, 95 / 6.0, 115 / 6.0, 119 / 6.0);
        // E2E: the finish is 1 ms after the last step: 61 and 71 ms.
        assertSummary(m.e2e(), 2, 66, 61, 71, 66, 68.5, 70.5, 70.9);
    }

    @Test
    void answersThatCameWholeHaveNoFirstTokenFigures() {
        var whole =
                new RequestRecord(
                        0, 7, 9, 9, 0, -1, 50 * MS, new long[0], new int[0], "length", "");
        var m = ThroughputMetrics.of(WorkloadResult.of(false, List.of(whole)));
        assertEquals(LatencySummary.empty(), m.ttft());
        assertEquals(LatencySummary.empty(), m.itl());
        assertEquals(LatencySummary.empty(), m.tpot());
        assertSummary(m.e2e(), 1, 50, 50, 50, 50, 50, 50, 50);
        assertEquals(9, m.generatedTokens());
    }

    @Test
    void oneTokenHasATimeToItButNoneAfterIt() {
        RequestRecord one = streamed(0, 5, 0, 20, new long[] {20}, new int[] {1});
        var m = ThroughputMetrics.of(WorkloadResult.of(true, List.of(one)));
        assertEquals(1, m.ttft().count());
        assertEquals(0, m.tpot().count());
        assertEquals(0, m.itl().count());
        assertTrue(Double.isNaN(m.itl().mean()) && Double.isNaN(m.itl().p99()));
    }

    @Test
    void aRunInWhichAllFailsHasNoThroughputAndNoLatency() {
        var m =
                ThroughputMetrics.of(
                        WorkloadResult.of(true, List.of(failed(0, 5, 0, new long[] {3}, 10))));
        assertEquals(0, m.prompts());
        assertEquals(1, m.failed());
        assertEquals(0, m.rpm());
        assertEquals(0, m.outputTokensPerSecond());
        assertEquals(LatencySummary.empty(), m.e2e());
    }

    /** numpy.percentile(x, [50, 75, 95, 99]) by its definition, in exact arithmetic. */
    @Test
    void percentilesAreExactOnRandomSamples() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            double[] nanos = new double[1 + random.nextInt(300)];
            List<BigDecimal> exact = new ArrayList<>();
            for (int i = 0; i < nanos.length; i++) {
                nanos[i] = random.nextInt(3) == 0 ? 5 : random.nextInt(2_000_000_000);
                exact.add(BigDecimal.valueOf((long) nanos[i]));
            }
            Collections.sort(exact);
            LatencySummary s = LatencySummary.ofNanos(nanos);
            String message = nanos.length + " samples, seed " + seed;
            assertEquals(exactPercentile(exact, 50), s.p50(), TIGHT, message);
            assertEquals(exactPercentile(exact, 75), s.p75(), TIGHT, message);
            assertEquals(exactPercentile(exact, 95), s.p95(), TIGHT, message);
            assertEquals(exactPercentile(exact, 99), s.p99(), TIGHT, message);
        }
    }

    private static double exactPercentile(List<BigDecimal> sorted, int percent) {
        int hundredths = percent * (sorted.size() - 1);
        BigDecimal low = sorted.get(hundredths / 100);
        BigDecimal high = sorted.get(Math.min(hundredths / 100 + 1, sorted.size() - 1));
        BigDecimal part = BigDecimal.valueOf(hundredths % 100, 2);
        return low.add(high.subtract(low).multiply(part)).movePointLeft(9).doubleValue();
    }

    /** The same figures by the definitions, token by token, with lists and BigDecimal. */
    @Test
    void theFiguresAgreeWithAPlainImplementationOnRandomRuns() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            List<RequestRecord> records = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(40); i++) records.add(randomRecord(random, i));
            WorkloadResult result = WorkloadResult.of(true, records);
            var m = ThroughputMetrics.of(result);

            List<BigDecimal> ttft = new ArrayList<>();
            List<BigDecimal> itl = new ArrayList<>();
            List<BigDecimal> tpot = new ArrayList<>();
            List<BigDecimal> e2e = new ArrayList<>();
            long prompt = 0;
            long generated = 0;
            for (RequestRecord r : records) {
                if (!r.error().equals("")) continue;
                prompt += r.promptTokens();
                e2e.add(BigDecimal.valueOf(r.finishNanos() - r.submitNanos()));
                for (int i = 0; i < r.stepTokens().length; i++) {
                    generated += r.stepTokens()[i];
                    long before = i == 0 ? r.submitNanos() : r.stepNanos()[i - 1];
                    var gap = BigDecimal.valueOf(r.stepNanos()[i] - before);
                    (i == 0 ? ttft : itl).add(gap);
                }
                int after = r.generatedTokens() - r.stepTokens()[0];
                if (after > 0) {
                    long first = r.stepNanos()[0];
                    long last = r.stepNanos()[r.stepNanos().length - 1];
                    tpot.add(
                            BigDecimal.valueOf(last - first)
                                    .divide(BigDecimal.valueOf(after), MathContext.DECIMAL64));
                }
            }
            String message = "round " + round + ", seed " + seed;
            assertEquals(e2e.size(), m.prompts(), message);
            assertEquals(records.size() - e2e.size(), m.failed(), message);
            assertEquals(prompt, m.promptTokens(), message);
            assertEquals(generated, m.generatedTokens(), message);
            double seconds = result.durationNanos() / 1e9;
            assertEquals(generated / seconds, m.outputTokensPerSecond(), 1e-6, message);
            assertEquals(60 * e2e.size() / seconds, m.rpm(), 1e-6, message);
            assertAgrees(ttft, m.ttft(), message);
            assertAgrees(itl, m.itl(), message);
            assertAgrees(tpot, m.tpot(), message);
            assertAgrees(e2e, m.e2e(), message);
        }
    }

    private static void assertAgrees(List<BigDecimal> nanos, LatencySummary s, String message) {
        if (nanos.isEmpty()) {
            assertEquals(LatencySummary.empty(), s, message);
            return;
        }
        Collections.sort(nanos);
        double mean =
                nanos.stream()
                        .reduce(BigDecimal.ZERO, BigDecimal::add)
                        .divide(BigDecimal.valueOf(nanos.size()), MathContext.DECIMAL64)
                        .movePointLeft(9)
                        .doubleValue();
        assertEquals(nanos.size(), s.count(), message);
        assertEquals(mean, s.mean(), TIGHT, message);
        assertEquals(nanos.get(0).movePointLeft(9).doubleValue(), s.min(), TIGHT, message);
        assertEquals(exactPercentile(nanos, 100), s.max(), TIGHT, message);
        assertEquals(exactPercentile(nanos, 50), s.p50(), TIGHT, message);
        assertEquals(exactPercentile(nanos, 99), s.p99(), TIGHT, message);
    }

    private static RequestRecord randomRecord(Random random, int index) {
        int steps = 1 + random.nextInt(30);
        long submit = random.nextInt(1_000_000_000);
        long time = submit;
        long[] stepNanos = new long[steps];
        int[] stepTokens = new int[steps];
        int generated = 0;
        for (int i = 0; i < steps; i++) {
            time += random.nextInt(50_000_000);
            stepNanos[i] = time;
            stepTokens[i] = random.nextInt(4) == 0 ? 2 : 1;
            generated += stepTokens[i];
        }
        String error = random.nextInt(6) == 0 ? "device lost" : "";
        return new RequestRecord(
                index,
                random.nextInt(1_000),
                generated,
                generated,
                submit,
                stepNanos[0],
                time + random.nextInt(1_000_000),
                stepNanos,
                stepTokens,
                error.isEmpty() ? "length" : "failed",
                error);
    }

    /** All times in milliseconds; it finishes 1 ms after its last step. */
    private static RequestRecord streamed(
            int index, int prompt, long submit, long first, long[] steps, int[] tokens) {
        int generated = 0;
        for (int t : tokens) generated += t;
        return new RequestRecord(
                index,
                prompt,
                generated,
                generated,
                submit * MS,
                first * MS,
                (steps[steps.length - 1] + 1) * MS,
                nanos(steps),
                tokens,
                "length",
                "");
    }

    private static RequestRecord failed(
            int index, int prompt, long submit, long[] steps, long finish) {
        int[] ones = new int[steps.length];
        Arrays.fill(ones, 1);
        return new RequestRecord(
                index,
                prompt,
                40,
                steps.length,
                submit * MS,
                steps[0] * MS,
                finish * MS,
                nanos(steps),
                ones,
                "failed",
                "device lost");
    }

    private static long[] nanos(long[] millis) {
        return Arrays.stream(millis).map(m -> m * MS).toArray();
    }

    private static void assertSummary(LatencySummary s, long count, double... millis) {
        assertEquals(count, s.count());
        double[] actual = {s.mean(), s.min(), s.max(), s.p50(), s.p75(), s.p95(), s.p99()};
        for (int i = 0; i < actual.length; i++) {
            assertEquals(millis[i] / 1e3, actual[i], TIGHT, "figure " + i);
        }
    }
}
