package org.tokenrate.lmdeploy;

import java.util.Arrays;
import java.util.List;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

/**
 * The figures of LMDeploy's {@code benchmark/profile_throughput.py} as of version 0.6, the last
 * whose CSV has latencies, worked out from request records as that script does:
 *
 * <ul>
 *   <li>FTL, first-token latency: first step - submit, rounded to milliseconds before anything
 *       else; least, greatest and mean over the requests.
 *   <li>Per-token latency: a request of n tokens gives n values, rounded to milliseconds. A step
 *       after the first gives its gap for its first token; a step's further tokens, and one value a
 *       request that no token stands for, are zero. The p-th percentile of all N values is the one
 *       at place floor(p N), counted from 0, in ascending order.
 *   <li>RPS is requests / elapsed time, RPM is 60 times that; throughputs are tokens / elapsed
 *       time.
 * </ul>
 *
 * Elapsed time is ours: from the first submit to the last finish.
 *
 * @param concurrency requests in flight
 * @param streamed whether there are latencies
 * @param elapsedSeconds of the whole workload
 * @param firstToken latency in seconds; NaN if not streamed
 * @param perTokenSeconds 50, 75, 95 and 99 %; empty if not streamed
 */
public record ThroughputProfile(
        int concurrency,
        boolean streamed,
        int requests,
        double elapsedSeconds,
        long promptTokens,
        long completionTokens,
        FirstToken firstToken,
        List<Double> perTokenSeconds) {
    static final List<Double> PERCENTS = List.of(0.5, 0.75, 0.95, 0.99);

    /** Seconds. */
    public record FirstToken(double average, double least, double greatest) {
        static final FirstToken NONE = new FirstToken(Double.NaN, Double.NaN, Double.NaN);
    }

    /**
     * @param result without a failed request: the script knows none
     * @throws IllegalArgumentException if a request failed, or there is none
     */
    public static ThroughputProfile of(WorkloadResult result, int concurrency) {
        List<RequestRecord> records = result.records();
        long failed = records.stream().filter(RequestRecord::failed).count();
        if (failed > 0 || records.isEmpty()) {
            throw new IllegalArgumentException(
                    "%d of %d requests failed; LMDeploy has figures only for runs in which none does"
                            .formatted(failed, records.size()));
        }
        return new ThroughputProfile(
                concurrency,
                result.streamed(),
                records.size(),
                result.durationNanos() / 1e9,
                records.stream().mapToLong(RequestRecord::promptTokens).sum(),
                records.stream().mapToLong(RequestRecord::generatedTokens).sum(),
                result.streamed() ? firstToken(records) : FirstToken.NONE,
                result.streamed() ? perToken(records) : List.of());
    }

    double requestsPerSecond() {
        return requests / elapsedSeconds;
    }

    double requestsPerMinute() {
        return requestsPerSecond() * 60;
    }

    double outputTokensPerSecond() {
        return completionTokens / elapsedSeconds;
    }

    double totalTokensPerSecond() {
        return (promptTokens + completionTokens) / elapsedSeconds;
    }

    private static FirstToken firstToken(List<RequestRecord> records) {
        var latency =
                records.stream()
                        .mapToDouble(r -> millis(r.stepNanos()[0] - r.submitNanos()) / 1000.0)
                        .summaryStatistics();
        return new FirstToken(latency.getAverage(), latency.getMin(), latency.getMax());
    }

    private static List<Double> perToken(List<RequestRecord> records) {
        int count =
                Math.toIntExact(records.stream().mapToLong(RequestRecord::generatedTokens).sum());
        long[] millis = new long[count]; // zero where no step gives a value
        int at = 0;
        for (RequestRecord r : records) {
            long[] steps = r.stepNanos();
            for (int i = 1; i < steps.length; i++) millis[at++] = millis(steps[i] - steps[i - 1]);
        }
        Arrays.sort(millis);
        return PERCENTS.stream().map(p -> millis[(int) (p * count)] / 1000.0).toList();
    }

    /** Rounded as numpy rounds: ties to even. */
    private static long millis(long nanos) {
        return (long) Math.rint(nanos / 1e9 * 1000);
    }
}
