package org.tokenrate.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.simulated.SimulatedEngine;
import org.tokenrate.engine.simulated.SimulatedTiming;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;
import org.tokenrate.workload.LoadGenerator;
import org.tokenrate.workload.LoadOptions;
import org.tokenrate.workload.RequestRecords;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/**
 * What the harness itself costs: a whole workload on an engine that takes no time, so that all that
 * is left is submitting, timing, detokenizing and noting. A real engine's tokens/s must stay far
 * below these for its figures to be its own.
 *
 * <p>Short answers show the cost of a request, long ones that of a token. On one core, with the
 * bytes allocated:
 *
 * <pre>taskset -c 0 java -jar target/benchmarks.jar Harness -prof gc</pre>
 *
 * Bytes a token: {@code gc.alloc.rate.norm / (numPrompts * outputTokens)}; 12 of them are the
 * record's own (a time and a count a step).
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class HarnessBenchmark {
    private static final int PROMPT_TOKENS = 160;

    /** Requests of the workload (LMDeploy: --num-prompts). */
    @Param({"5000"})
    public int numPrompts;

    /** Requests in flight (LMDeploy: --concurrency). */
    @Param({"256"})
    public int concurrency;

    /** Tokens of every answer; 340 is near ShareGPT's mean. */
    @Param({"8", "340"})
    public int outputTokens;

    /**
     * The engine's times: with none it sends each answer in one go; with 10 us a token it is always
     * late, never waits, and goes from request to request with every token, as a batch does.
     */
    @Param({"simulated", "simulated:0:10us"})
    public String engine;

    private Tokenizer tokenizer;
    private SimulatedEngine simulated;
    private Workload workload;
    private LoadOptions options;
    private WorkloadResult result;
    private Path file;

    @Setup(Level.Trial)
    public void open() throws InterruptedException, IOException {
        PartBenchmark.requireAtLeast("numPrompts", numPrompts, 1);
        PartBenchmark.requireAtLeast("concurrency", concurrency, 1);
        PartBenchmark.requireAtLeast("outputTokens", outputTokens, 1);
        tokenizer = Tokenizers.load(Builtin.tokenizerFolder());
        simulated = new SimulatedEngine(SimulatedTiming.parse(engine), tokenizer.vocabularySize());
        List<Workload.Request> requests = new ArrayList<>();
        for (int i = 0; i < numPrompts; i++) {
            requests.add(new Workload.Request(new int[PROMPT_TOKENS], outputTokens));
        }
        workload = new Workload(requests);
        options = new LoadOptions(concurrency, SamplingParams.GREEDY, true, tokenizer);
        result = LoadGenerator.run(simulated, workload, options);
        file = Files.createTempFile("requests", ".jsonl");
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        simulated.close();
        tokenizer.close();
        Files.delete(file);
    }

    /** Requests and tokens a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long requests;
        public long tokens;

        void add(Workload workload, int outputTokens) {
            requests += workload.requests().size();
            tokens += (long) workload.requests().size() * outputTokens;
        }
    }

    /** The run itself: what goes on while an engine is measured. */
    @Benchmark
    public WorkloadResult run(Rates rates) throws InterruptedException {
        rates.add(workload, outputTokens);
        return LoadGenerator.run(simulated, workload, options);
    }

    /** After the run: all figures from the records. */
    @Benchmark
    public ThroughputMetrics metrics(Rates rates) {
        rates.add(workload, outputTokens);
        return ThroughputMetrics.of(result);
    }

    /** After the run: the records' file. */
    @Benchmark
    public void writeRecords(Rates rates) throws IOException {
        rates.add(workload, outputTokens);
        RequestRecords.write(file, result.records());
    }
}
