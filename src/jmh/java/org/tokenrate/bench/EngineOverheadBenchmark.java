package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.dataset.PromptSampler;
import org.tokenrate.dataset.SampledPrompt;
import org.tokenrate.dataset.SamplingMethod;
import org.tokenrate.dataset.ShareGptDataset;
import org.tokenrate.device.Device;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.local.LocalEngine;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;
import org.tokenrate.workload.LoadGenerator;
import org.tokenrate.workload.LoadOptions;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/**
 * How far the CPU engine is from its own matrix products: the time of the main job, against the
 * time of the same job on a device that runs only the products. Both schedule the same iterations,
 * so the products have the same shapes; their ratio is what attention, norms, sampling, the
 * scheduler and the harness cost.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar EngineOverhead -p concurrency=1,64
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"},
        jvmArgs = {"-XX:MaxRAMPercentage=70", "-XX:+UseParallelGC", "-XX:+UseTransparentHugePages"})
public class EngineOverheadBenchmark {
    /** {@code engine}, or {@code products}: its matrix products alone. */
    @Param({"engine", "products"})
    public String work;

    /** Requests in flight. */
    @Param("64")
    public int concurrency;

    /** Requests of a workload. */
    @Param("64")
    public int numPrompts;

    private Tokenizer tokenizer;
    private Workload workload;
    private InferenceEngine engine;

    @Setup(Level.Trial)
    public void open() throws IOException {
        PartBenchmark.requireOneOf("work", work, List.of("engine", "products"));
        PartBenchmark.requireAtLeast("concurrency", concurrency, 1);
        PartBenchmark.requireAtLeast("numPrompts", numPrompts, 1);
        tokenizer = Tokenizers.load(Builtin.tokenizerFolder());
        List<Workload.Request> requests = new ArrayList<>();
        try (ShareGptDataset dataset = ShareGptDataset.open(Builtin.dialogues())) {
            for (SampledPrompt p :
                    PromptSampler.sample(
                            dataset, tokenizer, SamplingMethod.SHUFFLE, numPrompts, 0)) {
                requests.add(new Workload.Request(p.promptTokens(), p.answerTokens()));
            }
        }
        workload = new Workload(requests);
        int threads = Runtime.getRuntime().availableProcessors();
        Device cpu = new CpuDevice(CpuDevice.preferredType(), threads);
        Device device = work.equals("products") ? new ProductsOnlyDevice(cpu) : cpu;
        var options = new EngineOptions("cpu", "builtin", "hf", "auto", 1, 0.5, concurrency, true);
        engine = LocalEngine.open("cpu", List.of(device), options, LoadListener.NONE);
    }

    @Benchmark
    public WorkloadResult workload() throws InterruptedException {
        return LoadGenerator.run(
                engine,
                workload,
                new LoadOptions(concurrency, SamplingParams.GREEDY, true, tokenizer));
    }

    @TearDown(Level.Trial)
    public void close() {
        engine.close();
        tokenizer.close();
    }
}
