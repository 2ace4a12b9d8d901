package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Tensor;
import org.tokenrate.engine.local.LocalDevices;

/**
 * Choosing the next tokens from logits, one for each sequence, and bringing them to the host: the
 * end of every iteration. Greedy reads the logits once, drawing must sort some of them.
 *
 * <p>Read {@code tokens}, chosen a second: with b sequences in flight, b / {@code tokens} seconds
 * of every iteration go here. {@code gb} is the logits' bytes, each counted once, in GB/s.
 *
 * <p>Logits are random with a deviation of {@link #SPREAD}, so that probability gathers on a few
 * tokens, as a model's does; real ones gather it more, so {@code topP} alone is cheaper there.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar Sampling -p vocabulary=32000,151936 -p method=greedy,topK,topP,all -p batch=64
 * }</pre>
 */
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class SamplingBenchmark extends PartBenchmark {
    /** Of the logits, whose size decides how few tokens hold most of the probability. */
    static final double SPREAD = 3;

    /** Numbers in a row of logits. */
    @Param({"32000", "151936"})
    public int vocabulary;

    /**
     * greedy; topK: 40 likeliest, of them 0.95 of the probability, temperature 0.8; topP: 0.95 of
     * the probability of all, temperature 0.8; all: any token, temperature 1.
     */
    @Param({"greedy", "topK", "topP", "all"})
    public String method;

    /** Sequences whose next token is wanted. */
    @Param({"1", "64"})
    public int batch;

    private DeviceRun run;
    private Device device;
    private Tensor logits;
    private Batch wanted;
    private int[] chosen;

    @Setup(Level.Trial)
    public void load() throws IOException {
        requireAtLeast("vocabulary", vocabulary, 1);
        requireAtLeast("batch", batch, 1);
        requireOneOf("method", method, List.of("greedy", "topK", "topP", "all"));
        device = LocalDevices.open(engine, "auto", false);
        run = new DeviceRun(device, batch, batch);
        logits = device.newTensor(batch, vocabulary);
        DeviceRun.Noise noise = run.noise(DeviceRun.TOKENS);
        double each = SPREAD / Math.sqrt(DeviceRun.TOKENS);
        var head =
                new DenseData(RandomWeights.numbers("head", vocabulary, DeviceRun.TOKENS, 0, each));
        Matrix matrix = device.loadMatrix(List.of(head), List.of());
        run.begin();
        wanted = run.newBatch();
        for (int i = 0; i < batch; i++) {
            run.add(wanted, 0, i, i + 1);
            switch (method) {
                case "greedy" -> wanted.sampleNext(1, 1, 1, i);
                case "topK" -> wanted.sampleNext(40, 0.95f, 0.8f, i);
                case "topP" -> wanted.sampleNext(0, 0.95f, 0.8f, i);
                default -> wanted.sampleNext(0, 1, 1, i);
            }
        }
        run.run(wanted, () -> device.linear(noise.queue(wanted), matrix, batch, logits));
        chosen = new int[batch];
    }

    @Benchmark
    public int[] sample(TokenCounters counters, ByteCounters bytes) {
        counters.tokens += batch;
        bytes.add((double) batch * vocabulary * DType.F32.bytes());
        device.sample(logits, wanted, chosen);
        return chosen;
    }

    @TearDown(Level.Trial)
    public void close() {
        run.close();
    }
}
