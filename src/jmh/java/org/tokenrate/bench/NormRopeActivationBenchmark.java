package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Tensor;
import org.tokenrate.engine.local.LocalDevices;
import org.tokenrate.model.ModelConfig;

/**
 * What a decoder layer does between its products: {@code norm} is RMS norm, {@code ropeAndStore}
 * turns queries and keys and writes keys and values to the cache, {@code embed} begins an
 * iteration. Each is a small part, and together they are what an engine easily wastes.
 *
 * <p>Activations are in the cache, where the operation before has left them, so compare {@code
 * tokens} (a second) with the tokens/s of the whole model: an operation that comes l times an
 * iteration takes l * (the model's tokens/s) / {@code tokens} of its time.
 *
 * <p>The activation has no operation of its own: it is part of the MLP's first products. {@code
 * gated} is those with it, {@code products} the same two without; their difference is its cost.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar NormRopeActivation -p model=random:tinyllama-1.1b -p rows=1,64
 * }</pre>
 */
public class NormRopeActivationBenchmark extends DeviceBenchmark {
    /** Operations of an invocation: some take no longer than a look at the clock. */
    static final int TIMES = 64;

    private static final int LONGEST_PROMPT = 4096;

    /** Whose widths: builtin, random:SHAPE or a model's folder. */
    @Param("random:llama-110m")
    public String model;

    /** Tokens of an iteration. */
    @Param({"1", "256"})
    public int rows;

    private DeviceRun run;
    private Device device;
    private ModelConfig config;
    private AttentionShape shape;
    private DeviceRun.Noise noise;
    private Matrix gate;
    private Matrix up;
    private Tensor qkv;
    private Tensor x;
    private Tensor gated;
    private Tensor activated;
    private Batch batch;

    @Setup(Level.Trial)
    public void load() throws IOException {
        requireAtLeast("rows", rows, 1);
        config = Models.of(model, "auto").config();
        int middle = config.intermediateSize();
        device = LocalDevices.open(engine, dtype, false);
        run = new DeviceRun(device, rows, rows);
        shape =
                DeviceRun.heads(
                        config.heads(),
                        config.kvHeads(),
                        config.headDim(),
                        Math.max(rows, LONGEST_PROMPT));
        noise = run.noise(config.hiddenSize());
        DeviceRun.Projection projection = run.projection(shape);
        gate = matrix("gate", middle);
        up = matrix("up", middle);
        gated = device.newProduct(rows, middle);
        activated = device.newInput(rows, middle);
        run.begin(shape, 1, 1, rows);
        batch = run.prompt(rows);
        qkv = projection.of(batch);
        x = noise.of(batch);
    }

    private Matrix matrix(String name, int outputs) throws IOException {
        var weights = RandomWeights.dense(name, config.hiddenSize(), outputs);
        return device.loadMatrix(List.of(weights), List.of());
    }

    private float[] repeat(Runnable operation) {
        return run.run(
                batch,
                () -> {
                    for (int i = 0; i < TIMES; i++) operation.run();
                });
    }

    @Benchmark
    public float[] embed(TokenCounters counters) {
        counters.tokens += (long) TIMES * rows;
        return repeat(() -> noise.embed(batch));
    }

    @Benchmark
    public float[] norm(TokenCounters counters) {
        counters.tokens += (long) TIMES * rows;
        return repeat(() -> noise.norm(rows));
    }

    @Benchmark
    public float[] ropeAndStore(TokenCounters counters) {
        counters.tokens += (long) TIMES * rows;
        return repeat(
                () -> device.ropeAndStore(qkv, batch, run.cache(), 0, shape, Optional.empty()));
    }

    @Benchmark
    public float[] gated(TokenCounters counters, FlopCounters flops) {
        countProducts(counters, flops);
        return repeat(() -> device.gatedLinear(x, gate, up, rows, gated, activated));
    }

    @Benchmark
    public float[] products(TokenCounters counters, FlopCounters flops) {
        countProducts(counters, flops);
        return repeat(
                () -> {
                    device.linear(x, gate, rows, gated);
                    device.linear(x, up, rows, gated);
                });
    }

    private void countProducts(TokenCounters counters, FlopCounters flops) {
        counters.tokens += (long) TIMES * rows;
        flops.add(2.0 * TIMES * 2 * rows * config.hiddenSize() * config.intermediateSize());
    }

    @TearDown(Level.Trial)
    public void close() {
        run.close();
    }
}
