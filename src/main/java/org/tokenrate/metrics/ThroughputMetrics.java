package org.tokenrate.metrics;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.WorkloadResult;

/**
 * What a run comes to. The definitions are those of LMDeploy ({@code lmdeploy/profiler.py}); only
 * requests that did not fail are in any figure but {@code failed}.
 *
 * <ul>
 *   <li>TTFT, time to first token: first step - submit.
 *   <li>ITL, inter-token latency: the gap between one step and the next, one sample a gap. A step
 *       may bring more than one token.
 *   <li>TPOT, time per output token after the first: (last step - first step) / (tokens - tokens of
 *       the first step), one sample a request.
 *   <li>E2E, end to end: finish - submit.
 * </ul>
 *
 * Where we differ from LMDeploy:
 *
 * <ul>
 *   <li>It takes a step's time after the step's text is made, we take it first thing, before; the
 *       text's making delays the steps that follow in both.
 *   <li>For a request whose tokens all came in one step (one token, or an answer that came whole)
 *       it counts E2E / tokens as a TPOT; we count none, since no token was timed after the first.
 *       TTFT, ITL and TPOT of answers that come whole are therefore empty, not zero.
 *   <li>It ends E2E at the last step, we end it at the engine's word that the request is finished.
 *   <li>Its total time goes from starting to joining all workers, ours from the first submit to the
 *       last finish. Both include prefill.
 * </ul>
 *
 * @param prompts requests completed
 * @param failed requests that failed
 * @param durationSeconds from the first submit to the last finish, failed requests included
 * @param promptTokens of the completed requests
 * @param generatedTokens of the completed requests
 */
public record ThroughputMetrics(
        int prompts,
        int failed,
        double durationSeconds,
        long promptTokens,
        long generatedTokens,
        LatencySummary ttft,
        LatencySummary itl,
        LatencySummary tpot,
        LatencySummary e2e) {

    public static ThroughputMetrics of(WorkloadResult result) {
        List<RequestRecord> completed = result.records().stream().filter(r -> !r.failed()).toList();
        return new ThroughputMetrics(
                completed.size(),
                result.records().size() - completed.size(),
                result.durationNanos() / 1e9,
                completed.stream().mapToLong(RequestRecord::promptTokens).sum(),
                completed.stream().mapToLong(RequestRecord::generatedTokens).sum(),
                LatencySummary.ofNanos(ttft(completed)),
                LatencySummary.ofNanos(itl(completed)),
                LatencySummary.ofNanos(tpot(completed)),
                LatencySummary.ofNanos(e2e(completed)));
    }

    /** Requests completed per second. */
    public double rps() {
        return prompts / durationSeconds;
    }

    /** Requests completed per minute. */
    public double rpm() {
        return rps() * 60;
    }

    /** Generated tokens per second. */
    public double outputTokensPerSecond() {
        return generatedTokens / durationSeconds;
    }

    /** Prompt and generated tokens per second. */
    public double totalTokensPerSecond() {
        return (promptTokens + generatedTokens) / durationSeconds;
    }

    private static double[] ttft(List<RequestRecord> completed) {
        return completed.stream()
                .map(Latencies::ttft)
                .filter(OptionalLong::isPresent)
                .mapToDouble(OptionalLong::getAsLong)
                .toArray();
    }

    /** By loops: a run has millions of gaps. */
    private static double[] itl(List<RequestRecord> completed) {
        int gaps = 0;
        for (RequestRecord r : completed) gaps += Math.max(0, r.stepNanos().length - 1);
        double[] nanos = new double[gaps];
        int at = 0;
        for (RequestRecord r : completed) {
            long[] steps = r.stepNanos();
            for (int i = 1; i < steps.length; i++) nanos[at++] = steps[i] - steps[i - 1];
        }
        return nanos;
    }

    private static double[] tpot(List<RequestRecord> completed) {
        return completed.stream()
                .map(Latencies::tpot)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .toArray();
    }

    private static double[] e2e(List<RequestRecord> completed) {
        return completed.stream().mapToDouble(Latencies::e2e).toArray();
    }
}
