package org.tokenrate.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;

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

    /** Of the engine's own iterations, those with prompts in them; with {@code -prof stages}. */
    public static final Metric PREFILL_ITERATIONS = mean("prefill_iterations", "#");

    /** Of the engine's own iterations, the others; with {@code -prof stages}. */
    public static final Metric DECODE_ITERATIONS = mean("decode_iterations", "#");

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

    /** Where the engine's time went; empty without {@code -prof stages}. */
    static final List<Metric> STAGES = stages();

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

    /** Seconds of an iteration in a stage of the engine's, prefill and decode together. */
    public static Metric stage(Stage stage) {
        return mean("stage_" + stage.label() + "_s", "s");
    }

    /** The part of {@link #stage} in engine iterations with prompts in them. */
    public static Metric prefillStage(Stage stage) {
        return mean("stage_" + stage.label() + "_prefill_s", "s");
    }

    /** All that {@code -prof stages} adds, with an iteration's values. */
    public static Map<Metric, Double> stageValues(StageTimes times) {
        var values = new LinkedHashMap<Metric, Double>();
        values.put(PREFILL_ITERATIONS, (double) times.prefillIterations());
        values.put(DECODE_ITERATIONS, (double) times.decodeIterations());
        for (Stage s : Stage.values()) values.put(stage(s), times.nanos(s) / 1e9);
        for (Stage s : Stage.values()) {
            if (s != Stage.IDLE) values.put(prefillStage(s), times.prefillNanos(s) / 1e9);
        }
        return values;
    }

    private static List<Metric> stages() {
        var none =
                new StageTimes(
                        new long[Stage.values().length], new long[Stage.values().length], 0, 0);
        return List.copyOf(stageValues(none).keySet());
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
