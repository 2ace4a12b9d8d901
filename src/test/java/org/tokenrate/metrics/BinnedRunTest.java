package org.tokenrate.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

class BinnedRunTest {
    private static final long SEED = 20261124;

    @Test
    void percentilesAreWithinOnePercentOfTheExactOnes() {
        List<RequestRecord> records = randomRecords(new Random(SEED), 2_000);
        var exact = ThroughputMetrics.of(WorkloadResult.of(true, records));
        var binned = BinnedRun.of(records);
        requireNear(exact.ttft(), binned.ttft());
        requireNear(exact.itl(), binned.itl());
        requireNear(exact.tpot(), binned.tpot());
        requireNear(exact.e2e(), binned.e2e());
    }

    private static void requireNear(LatencySummary exact, Histogram binned) {
        assertEquals(exact.count(), binned.getTotalCount());
        double[][] pairs = {
            {exact.p50(), 50}, {exact.p75(), 75}, {exact.p95(), 95}, {exact.p99(), 99}
        };
        for (double[] p : pairs) {
            double seconds = binned.getValueAtPercentile(p[1]) / 1e9;
            // A bin's width, and the step from one sample to the next.
            assertEquals(p[0], seconds, 0.02 * p[0], "p" + p[1] + ", seed " + SEED);
        }
    }

    @Test
    void tokensAndTimeInFlightAddUp() {
        List<RequestRecord> records = randomRecords(new Random(SEED), 500);
        var binned = BinnedRun.of(records);
        long tokens = 0;
        long nanos = 0;
        for (RequestRecord r : records) {
            if (!r.failed()) tokens += r.generatedTokens();
            nanos += r.finishNanos() - r.submitNanos();
        }
        assertEquals(tokens, Arrays.stream(binned.tokens().amounts()).sum());
        assertEquals(nanos, Arrays.stream(binned.inFlight().amounts()).sum());
    }

    @Test
    void theOrderOfTheRecordsDoesNotMatter() {
        List<RequestRecord> records = randomRecords(new Random(SEED), 500);
        var one = BinnedRun.of(records);
        Collections.shuffle(records, new Random(SEED));
        var other = BinnedRun.of(records);
        assertEquals(one.itl(), other.itl());
        assertEquals(one.tokens().widthNanos(), other.tokens().widthNanos());
        assertArrayEquals(one.tokens().amounts(), other.tokens().amounts());
        assertArrayEquals(one.inFlight().amounts(), other.inFlight().amounts());
    }

    @Test
    void aFailedRequestIsInFlightAndNowhereElse() {
        var failed =
                new RequestRecord(
                        0, 3, 2, 1, 0, 5, 10_000_000, new long[] {5}, new int[] {1}, "failed", "x");
        var binned = BinnedRun.of(List.of(failed));
        assertEquals(0, binned.e2e().getTotalCount() + binned.ttft().getTotalCount());
        assertEquals(0, binned.tokens().amounts().length);
        assertEquals(10_000_000, Arrays.stream(binned.inFlight().amounts()).sum());
    }

    @Test
    void anAnswerThatCameWholeCountsWhenItCame() {
        var whole =
                new RequestRecord(
                        0, 3, 7, 7, 0, -1, 2_500_000, new long[0], new int[0], "length", "");
        var binned = BinnedRun.of(List.of(whole));
        assertArrayEquals(new long[] {0, 0, 7}, binned.tokens().amounts());
        assertEquals(0, binned.ttft().getTotalCount());
        assertEquals(1, binned.e2e().getTotalCount());
    }

    @Test
    void widthsDoubleUntilTheLatestTimeFits() {
        var bins = new TimeBins();
        bins.add(0, 1);
        bins.add(511_999_999, 2);
        assertEquals(1_000_000, bins.widthNanos());
        assertEquals(512, bins.amounts().length);
        bins.add(512_000_000, 4);
        assertEquals(2_000_000, bins.widthNanos());
        assertEquals(257, bins.amounts().length);
        assertEquals(1, bins.amounts()[0]);
        assertEquals(2, bins.amounts()[255]);
        assertEquals(4, bins.amounts()[256]);
    }

    @Test
    void aSpanIsSharedAmongItsBins() {
        var bins = new TimeBins();
        bins.addSpan(500_000, 2_250_000);
        assertArrayEquals(new long[] {500_000, 1_000_000, 250_000}, bins.amounts());
    }

    @Test
    void timesThatAreNotInOrderAreRefused() {
        var backwards =
                new RequestRecord(
                        7, 3, 2, 2, 0, 9, 20, new long[] {9, 5}, new int[] {1, 1}, "length", "");
        var e =
                assertThrows(
                        IllegalArgumentException.class, () -> BinnedRun.of(List.of(backwards)));
        assertTrue(e.getMessage().startsWith("the times of request 7 are not in order"));
        var late =
                new RequestRecord(
                        7, 3, 2, 2, 0, -1, Long.MAX_VALUE, new long[0], new int[0], "length", "");
        assertThrows(IllegalArgumentException.class, () -> BinnedRun.of(List.of(late)));
    }

    static List<RequestRecord> randomRecords(Random random, int count) {
        var records = new ArrayList<RequestRecord>();
        for (int i = 0; i < count; i++) {
            int n = 1 + random.nextInt(40);
            long submit = random.nextInt(2_000_000_000);
            long[] steps = new long[n];
            int[] tokens = new int[n];
            int sum = 0;
            long at = submit;
            for (int k = 0; k < n; k++) {
                at += (long) (1e6 * Math.exp(random.nextGaussian()));
                steps[k] = at;
                tokens[k] = random.nextInt(10) == 0 ? 2 : 1;
                sum += tokens[k];
            }
            boolean failed = random.nextInt(20) == 0;
            records.add(
                    new RequestRecord(
                            i,
                            5,
                            sum,
                            sum,
                            submit,
                            steps[0],
                            at + random.nextInt(1000),
                            steps,
                            tokens,
                            failed ? "failed" : "length",
                            failed ? "broke" : ""));
        }
        return records;
    }
}
