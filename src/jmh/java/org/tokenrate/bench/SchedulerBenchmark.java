package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
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
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.engine.local.LocalEngine;
import org.tokenrate.engine.local.RankedDecoder;

/**
 * The engine without its computing: scheduler, KV pool and token delivery over a device that does
 * nothing. All {@link #requests} are submitted at once; at most 512 run at a time, the rest wait.
 *
 * <p>Read {@code iterations} (a second): a model's iterations/s must stay far below. It is the
 * batch that costs, so read {@code tokens} with it: batch size / {@code tokens} seconds of every
 * iteration are the scheduler's.
 *
 * <p>{@link #kvBlocks} below what the requests need makes the engine preempt: {@code -p
 * kvBlocks=600} with 512 requests shows what that costs.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar Scheduler -p requests=1,64,512,10000 -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SchedulerBenchmark {
    /** As the engine has it. */
    private static final int MOST_AT_ONCE = 512;

    private static final double CACHE_COUNT = 0.5;

    /** Requests of an invocation, from 1. */
    @Param({"1", "64", "512", "10000"})
    public int requests;

    /** Tokens of each prompt; 160 is ShareGPT's mean. */
    @Param("160")
    public int promptTokens;

    /** Tokens of each answer; 340 is ShareGPT's mean. */
    @Param("340")
    public int outputTokens;

    /** KV blocks of 64 tokens; 512 sequences of 2,048 tokens need 16,384. */
    @Param("16384")
    public int kvBlocks;

    private LocalEngine engine;
    private GenerationRequest request;

    @Setup(Level.Trial)
    public void open() throws IOException {
        PartBenchmark.requireAtLeast("requests", requests, 1);
        PartBenchmark.requireAtLeast("promptTokens", promptTokens, 1);
        PartBenchmark.requireAtLeast("outputTokens", outputTokens, 1);
        int each = (promptTokens + outputTokens - 1) / RankedDecoder.BLOCK_TOKENS + 1;
        PartBenchmark.requireAtLeast("kvBlocks", kvBlocks, each);
        var options =
                new EngineOptions(
                        "cpu",
                        "random:builtin",
                        "hf",
                        "auto",
                        1,
                        CACHE_COUNT,
                        Math.min(requests, MOST_AT_ONCE),
                        false);
        var device = new NoOpDevice((long) (kvBlocks / CACHE_COUNT));
        engine = LocalEngine.open("none", List.of(device), options, LoadListener.NONE);
        request =
                new GenerationRequest(
                        new int[promptTokens], outputTokens, SamplingParams.GREEDY, true, true);
    }

    /** What the engine got through: each a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Counters {
        public long iterations;
        public long tokens;
        public long preemptions;
    }

    /** Counts a workload's ends. */
    private record Ends(CountDownLatch open, AtomicReference<Exception> failure)
            implements TokenListener {
        @Override
        public void onTokens(int[] tokens, int count) {}

        @Override
        public void onFinished(FinishReason reason) {
            open.countDown();
        }

        @Override
        public void onFailed(Exception cause) {
            failure.set(cause);
            open.countDown();
        }
    }

    @Benchmark
    public void schedule(Counters counters) throws Exception {
        var before = engine.counters();
        var ends = new Ends(new CountDownLatch(requests), new AtomicReference<>());
        for (int i = 0; i < requests; i++) engine.submit(request, ends);
        ends.open.await();
        if (ends.failure.get() != null) throw ends.failure.get();
        var after = engine.counters();
        counters.iterations += after.iterations() - before.iterations();
        counters.preemptions += after.preemptions() - before.preemptions();
        counters.tokens += (long) requests * outputTokens;
    }

    @TearDown(Level.Trial)
    public void close() {
        engine.close();
    }
}
