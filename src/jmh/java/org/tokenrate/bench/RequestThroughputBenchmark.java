package org.tokenrate.bench;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Timeout;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.runner.IterationType;
import org.tokenrate.run.RunSettings;
import org.tokenrate.run.Trial;
import org.tokenrate.workload.WorkloadResult;

/**
 * How many tokens and requests an engine gets through when real dialogues come at it, {@link
 * #concurrency} at a time.
 *
 * <p>One invocation is one whole workload of {@link #numPrompts} requests, from the first submit to
 * the last token; one iteration is one invocation, since an iteration's time is over at once.
 * Loading the model and sampling the prompts come before. JMH's own score is workloads per second;
 * the figures that matter are the secondary ones, which the CSV files hold.
 *
 * <p>To run it, with any of JMH's options:
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar RequestThroughput -p concurrency=1,16,64 -p numPrompts=64
 * }</pre>
 *
 * <p>Parameters and defaults are those of LMDeploy's {@code benchmark/profile_throughput.py}, whose
 * name for each is given.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 1, timeUnit = TimeUnit.MILLISECONDS)
// JMH would interrupt a workload after ten minutes; a large one takes hours.
@Timeout(time = 7, timeUnit = TimeUnit.DAYS)
@Fork(
        value = 1,
        jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"},
        jvmArgs = {
            "-XX:MaxRAMPercentage=70",
            "-XX:+UseParallelGC",
            // The KV cache is in the heap, and walked at random.
            "-XX:+UseTransparentHugePages"
        })
public class RequestThroughputBenchmark {
    /**
     * The engine under test: {@code auto} (the best device that answers), {@code cpu[:THREADS]},
     * {@code cuda}, or {@code simulated[:TTFT[:TPOT]]}, which has set times and no model. LMDeploy:
     * {@code --backend}.
     */
    @Param("auto")
    public String engine;

    /**
     * The model: {@code builtin} (small, random weights), or the folder of a checkpoint. LMDeploy:
     * {@code model_path}.
     */
    @Param("builtin")
    public String model;

    /** Layout of the checkpoint: hf, llama, awq or auto. LMDeploy: {@code --model-format}. */
    @Param("hf")
    public String modelFormat;

    /**
     * The requests: {@code builtin}, a ShareGPT json file, or a workload that {@code sample --json}
     * wrote. {@code output:OUT[@FILE]} generates OUT tokens for every prompt (LMDeploy: {@code
     * --sharegpt-output-len}); {@code random:IN/OUT[/RATIO][@FILE]} cuts or repeats the prompts to
     * uniform lengths from RATIO times IN or OUT to IN or OUT (LMDeploy: {@code --dataset-name
     * random}). LMDeploy: {@code dataset}.
     */
    @Param("builtin")
    public String dataset;

    /**
     * Requests of one workload, from 1 to 10,000,000, and at most as many as the dataset has usable
     * dialogues. LMDeploy: {@code --num-prompts}.
     */
    @Param("5000")
    public int numPrompts;

    /** Requests in flight at once, from 1 to 100,000. LMDeploy: {@code --concurrency}. */
    @Param("256")
    public int concurrency;

    /**
     * Tensor-parallel ranks: a power of two that divides the model's heads, as far as the engine
     * has devices; on the CPU they share its cores. LMDeploy: {@code --tp}.
     */
    @Param("1")
    public int tp;

    /**
     * The likeliest tokens to sample from, from 0 (all) to 1,000,000; 1 is greedy. LMDeploy: {@code
     * --top-k}.
     */
    @Param("1")
    public int topK;

    /** Nucleus: probability to sample from, in (0, 1]. LMDeploy: {@code --top-p}. */
    @Param("0.8")
    public double topP;

    /** Divides the logits, in [0, 100]; 0 is greedy. LMDeploy: {@code --temperature}. */
    @Param("0.8")
    public double temperature;

    /**
     * {@code true}: tokens are heard of as they come. {@code false}: each answer comes whole, and
     * there are no first-token and inter-token times. LMDeploy: {@code --no-stream-output}.
     */
    @Param("true")
    public boolean streamOutput;

    /**
     * Seed of the prompts' choice and of sampling tokens: any whole number of 64 bits. LMDeploy:
     * {@code --seed}.
     */
    @Param("0")
    public long seed;

    /**
     * Ratio, in (0, 1), of the memory free after the weights are loaded that holds KV blocks.
     * LMDeploy: {@code --cache-max-entry-count}.
     */
    @Param("0.5")
    public double cacheCount;

    /** What the fork logs: ERROR, WARN, INFO, DEBUG or TRACE. LMDeploy: {@code --log-level}. */
    @Param("ERROR")
    public String logLevel;

    /**
     * Of weights and computation: auto (bf16 where the device has it, else f32, or f16 on a GPU),
     * f32 (not on a GPU), bf16, or f16 (on a GPU only). LMDeploy: {@code --dtype}.
     */
    @Param("auto")
    public String dtype;

    /**
     * Which prompts are chosen: {@code shuffle} is LMDeploy from 0.9.0, {@code presample} is
     * LMDeploy up to 0.8, the version of its published tables.
     */
    @Param("shuffle")
    public String sampling;

    /** Whether {@code engine=cuda} records decoding iterations as CUDA graphs. */
    @Param("true")
    public boolean cudaGraphs;

    private Trial trial;

    @Setup(Level.Trial)
    public void open(BenchmarkParams params) throws IOException {
        RunSettings settings = RunSettings.of(System.getProperties());
        trial = Trial.open(params::getParam, settings, StagesProfiler.isOn());
    }

    @Setup(Level.Iteration)
    public void beginIteration() {
        trial.beginIteration();
    }

    @Benchmark
    public WorkloadResult requests(WorkloadCounters counters) throws InterruptedException {
        WorkloadResult result = trial.run();
        counters.add(result);
        return result;
    }

    @TearDown(Level.Iteration)
    public void endIteration(IterationParams iteration) throws IOException {
        boolean measured = iteration.getType() == IterationType.MEASUREMENT;
        WorkloadProfiler.publish(trial.endIteration(measured));
        StagesProfiler.publish(trial.stages());
    }

    @TearDown(Level.Trial)
    public void close() {
        trial.close();
    }
}
