package org.tokenrate.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A number that every iteration of the request-throughput benchmark leaves in JMH's json, under its
 * own name, as a secondary metric. The names are the CSV's column names.
 *
 * @param name column and label, with its unit where it has one
 * @param unit as JMH shows it
 * @param overIterations how a parameter combination's value comes from its iterations' values
 */
public record Metric(String name, String unit, OverIterations overIterations) {

    /** How the values of several iterations become one. */
    public enum OverIterations {
        MEAN,
        SUM,
        MIN,
        MAX
    }

    /** Index of the fork, from 1, as in the names of the request files. */
    public static final Metric FORK = maximum("fork", "#");

    /** Index of the measured iteration in its fork, from 1. */
    public static final Metric ITERATION = maximum("iteration", "#");

    /** Requests completed. */
    public static final Metric PROMPTS = mean("prompts", "requests");

    public static final Metric FAILED = new Metric("failed", "requests", OverIterations.SUM);
    public static final Metric DURATION = mean("duration_s", "s");
    public static final Metric PROMPT_TOKENS = mean("prompt_tokens", "tokens");
    public static final Metric GENERATED_TOKENS = mean("generated_tokens", "tokens");
    public static final Metric RPS = mean("rps", "req/s");
    public static final Metric RPM = mean("rpm", "req/min");
    public static final Metric OUTPUT_RATE = mean("output_tok_s", "tok/s");
    public static final Metric TOTAL_RATE = mean("total_tok_s", "tok/s");

    public static final Metric PREEMPTIONS = mean("preemptions", "#");
    public static final Metric KV_BLOCKS_PEAK = maximum("kv_blocks_peak", "blocks");
    public static final Metric KV_BLOCKS = maximum("kv_blocks", "blocks");
    public static final Metric KV_BLOCK_TOKENS = maximum("kv_block_tokens", "tokens");
    public static final Metric KV_BYTES = maximum("kv_bytes", "B");
    public static final Metric WEIGHT_BYTES = maximum("weight_bytes", "B");

    /** What the first 18 columns need. */
    static final List<Metric> TOTALS =
            List.of(
                    FAILED,
                    DURATION,
                    PROMPT_TOKENS,
                    GENERATED_TOKENS,
                    RPS,
                    RPM,
                    OUTPUT_RATE,
                    TOTAL_RATE);

    /** Seven statistics each of ttft, itl, tpot and e2e; empty where nothing was streamed. */
    static final List<Metric> LATENCIES = latencies();

    static final List<Metric> ENGINE =
            List.of(
                    PREEMPTIONS,
                    KV_BLOCKS_PEAK,
                    KV_BLOCKS,
                    KV_BLOCK_TOKENS,
                    KV_BYTES,
                    WEIGHT_BYTES);

    /**
     * One statistic of one latency, in seconds.
     *
     * @param latency ttft, itl, tpot or e2e
     * @param statistic mean, min, max, p50, p75, p95 or p99
     */
    public static Metric latency(String latency, String statistic) {
        var over =
                switch (statistic) {
                    case "min" -> OverIterations.MIN;
                    case "max" -> OverIterations.MAX;
                    default -> OverIterations.MEAN;
                };
        return new Metric(latency + "_" + statistic + "_s", "s", over);
    }

    private static List<Metric> latencies() {
        var all = new ArrayList<Metric>();
        for (String latency : List.of("ttft", "itl", "tpot", "e2e")) {
            for (String s : List.of("mean", "min", "max", "p50", "p75", "p95", "p99")) {
                all.add(latency(latency, s));
            }
        }
        return List.copyOf(all);
    }

    private static Metric mean(String name, String unit) {
        return new Metric(name, unit, OverIterations.MEAN);
    }

    private static Metric maximum(String name, String unit) {
        return new Metric(name, unit, OverIterations.MAX);
    }
}
