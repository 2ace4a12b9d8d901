package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Timeout;
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.metrics.LatencySummary;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.model.ModelSource;
import org.tokenrate.run.IterationReport;
import org.tokenrate.run.IterationReport.Value;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;
import org.tokenrate.workload.LoadGenerator;
import org.tokenrate.workload.LoadOptions;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/**
 * LMDeploy's static inference test ({@code benchmark/profile_generation.py}): requests that are all
 * alike, {@link #concurrency} at a time, {@link #rounds} rounds of them. No two lengths differ, so
 * nothing waits for anything longer: what is left of throughput on real dialogues below this is
 * lengths, queues and preemption.
 *
 * <p>Read {@code generatedTokens} (output tokens/s, prefill included) and {@code first_token_mean},
 * {@code _min} and {@code _max}, the first-token latency in seconds; {@code token_p50} to {@code
 * token_p99} are the gaps between tokens. One iteration is one workload.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar StaticInference -p concurrency=1,16,64 -p promptTokens=128 -p completionTokens=128
 * }</pre>
 *
 * @see <a href="https://github.com/InternLM/lmdeploy/blob/v0.6.0/benchmark/profile_generation.py">
 *     profile_generation.py</a>
 */
@Warmup(iterations = 1, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Timeout(time = 1, timeUnit = TimeUnit.DAYS)
public class StaticInferenceBenchmark extends DeviceBenchmark {
    /** Token ids of the prompt are below this, as LMDeploy has it. */
    private static final int TOKENS = 101;

    private static final double CACHE_COUNT = 0.5;

    /** The model: builtin, random:SHAPE or a model's folder. LMDeploy: {@code model_path}. */
    @Param("builtin")
    public String model;

    /** Layout of the checkpoint: hf, llama, awq or auto. LMDeploy: {@code --model-format}. */
    @Param("hf")
    public String modelFormat;

    /** Tensor-parallel ranks. LMDeploy: {@code --tp}. */
    @Param("1")
    public int tp;

    /** Requests at once. LMDeploy: {@code --concurrency}. */
    @Param({"1", "16"})
    public int concurrency;

    /** Tokens of each prompt. LMDeploy: {@code --prompt-tokens}. */
    @Param("128")
    public int promptTokens;

    /** Tokens to generate. LMDeploy: {@code --completion-tokens}. */
    @Param("128")
    public int completionTokens;

    /** Requests that follow each other in each place. LMDeploy: {@code --test-round}. */
    @Param("3")
    public int rounds;

    private final List<WorkloadResult> results = new ArrayList<>();
    private Tokenizer tokenizer;
    private InferenceEngine engineUnderTest;
    private Workload workload;

    @Setup(Level.Trial)
    public void open() throws IOException {
        requireAtLeast("concurrency", concurrency, 1);
        requireAtLeast("promptTokens", promptTokens, 1);
        requireAtLeast("completionTokens", completionTokens, 1);
        requireAtLeast("rounds", rounds, 1);
        requireAtLeast("tp", tp, 1);
        Models.of(model, modelFormat);
        var options =
                new EngineOptions(
                        engine, model, modelFormat, dtype, tp, CACHE_COUNT, concurrency, true);
        Engines.validate(options);
        int[] prompt = new Random(0).ints(promptTokens, 0, TOKENS).toArray();
        var request = new Workload.Request(prompt, completionTokens);
        workload =
                new Workload(Collections.nCopies(Math.multiplyExact(concurrency, rounds), request));
        tokenizer = Tokenizers.load(ModelSource.tokenizerFolder(model));
        engineUnderTest = Engines.open(options);
    }

    @Benchmark
    public WorkloadResult requests(WorkloadCounters counters) throws InterruptedException {
        var options = new LoadOptions(concurrency, SamplingParams.GREEDY, true, tokenizer);
        WorkloadResult result = LoadGenerator.run(engineUnderTest, workload, options);
        counters.add(result);
        results.add(result);
        return result;
    }

    /** Latencies are not rates: they go the way of the main job's. */
    @TearDown(Level.Iteration)
    public void publish() {
        if (results.isEmpty()) return;
        var metrics = ThroughputMetrics.of(results.get(results.size() - 1));
        results.clear();
        if (metrics.failed() > 0) {
            throw new IllegalStateException(
                    "%d of %d requests failed"
                            .formatted(metrics.failed(), metrics.failed() + metrics.prompts()));
        }
        WorkloadProfiler.publish(new IterationReport(latencies(metrics)));
    }

    static List<Value> latencies(ThroughputMetrics metrics) {
        LatencySummary first = metrics.ttft();
        LatencySummary between = metrics.itl();
        var values = new ArrayList<Value>();
        values.add(new Value("first_token_mean", first.mean(), "s"));
        values.add(new Value("first_token_min", first.min(), "s"));
        values.add(new Value("first_token_max", first.max(), "s"));
        values.add(new Value("token_p50", between.p50(), "s"));
        values.add(new Value("token_p75", between.p75(), "s"));
        values.add(new Value("token_p95", between.p95(), "s"));
        values.add(new Value("token_p99", between.p99(), "s"));
        return values;
    }

    @TearDown(Level.Trial)
    public void close() {
        engineUnderTest.close();
        tokenizer.close();
    }
}
