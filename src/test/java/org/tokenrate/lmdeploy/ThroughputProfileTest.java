package org.tokenrate.lmdeploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

/** Against files and figures made by hand after LMDeploy's script. */
class ThroughputProfileTest {
    private static final long MS = 1_000_000;

    /**
     * Request 0: 20.4 ms (20), then 10.5 (10, a tie: to even), 11.5 (12, likewise), 12. Request 1,
     * from 5 ms on: 30, then two tokens after 40. Of each, one more value is zero, and so is
     * request 1's further token. Sorted: 0 0 0 10 12 12 40, the places are 3, 5, 6, 6.
     */
    private static final List<RequestRecord> TWO =
            List.of(
                    request(0, 3, 0, new double[] {20.4, 30.9, 42.4, 54.4}, new int[] {1, 1, 1, 1}),
                    request(1, 7, 5, new double[] {35, 75}, new int[] {1, 2}));

    @Test
    void theCsvIsLmdeploysByteForByte() {
        assertEquals(
                "batch,num_promts,RPS,RPM,FTL(ave)(s),FTL(min)(s),FTL(max)(s),50%(s),75%(s),95%(s),99%(s),throughput(out tok/s),throughput(total tok/s)\r\n"
                        + "2,2,26.667,1600.000,0.025,0.020,0.030,0.010,0.012,0.040,0.040,93.333,226.667\r\n",
                ProfileText.csv(ThroughputProfile.of(WorkloadResult.of(true, TWO), 2)));
    }

    @Test
    void withoutStreamingLatenciesAreDashes() {
        List<RequestRecord> whole =
                List.of(request(0, 3, 0, new double[] {}, new int[] {}, 4, 50 * MS));
        assertEquals(
                "256,1,20.000,1200.000,-,-,-,-,-,-,-,80.000,140.000",
                ProfileText.csv(ThroughputProfile.of(WorkloadResult.of(false, whole), 256))
                        .split("\r\n")[1]);
    }

    @Test
    void theSummaryIsInLmdeploysWords() {
        assertEquals(
                """
                --------------------------------------------------
                concurrency: 2
                elapsed_time: 0.075s

                first token latency(s)(min, max, ave): 0.020, 0.030, 0.025
                per-token latency(s) percentile(50, 75, 95, 99): [0.01, 0.012, 0.04, 0.04]

                number of prompt tokens: 10
                number of completion tokens: 7
                token throughput (completion token): 93.333 token/s
                token throughput (prompt + completion token): 226.667 token/s
                RPS (request per second): 26.667 req/s
                RPM (request per minute): 1600.000 req/min
                --------------------------------------------------
                """,
                ProfileText.summary(ThroughputProfile.of(WorkloadResult.of(true, TWO), 2)));
    }

    @Test
    void aRunWithAFailedRequestHasNoFigures() {
        var records = new ArrayList<>(TWO);
        records.add(
                new RequestRecord(
                        2, 3, 4, 0, 0, -1, MS, new long[0], new int[0], "failed", "broken"));
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> ThroughputProfile.of(WorkloadResult.of(true, records), 2));
        assertTrue(e.getMessage().startsWith("1 of 3 requests failed"), e.getMessage());
    }

    private static RequestRecord request(
            int index, int promptTokens, double submit, double[] steps, int[] tokens) {
        int generated = 0;
        for (int t : tokens) generated += t;
        long end = (long) (steps[steps.length - 1] * MS);
        return request(index, promptTokens, submit, steps, tokens, generated, end);
    }

    private static RequestRecord request(
            int index,
            int promptTokens,
            double submit,
            double[] steps,
            int[] tokens,
            int generated,
            long end) {
        long[] nanos = new long[steps.length];
        for (int i = 0; i < steps.length; i++) nanos[i] = Math.round(steps[i] * MS);
        return new RequestRecord(
                index,
                promptTokens,
                generated,
                generated,
                Math.round(submit * MS),
                nanos.length == 0 ? -1 : nanos[0],
                end,
                nanos,
                tokens,
                "length",
                "");
    }
}
