package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.engine.local.LocalDevices;

/**
 * Attention of a prompt in one layer, chunk by chunk, as the engine takes it: each token over all
 * before it and itself. Keys and values are read once for many queries, so arithmetic decides, and
 * its share of a prefill grows with the square of the prompt.
 *
 * <p>Read {@code gflop}, in GFLOP/s: 4 * heads * headDim for every pair of a token and one that it
 * sees; what causality masks is not counted, so a kernel that computes it is not flattered. The
 * products of the same prompt are in {@code LinearBenchmark}.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar PrefillAttention -p prompt=256,1024,4096 -p heads=32/4
 * }</pre>
 */
public class PrefillAttentionBenchmark extends DeviceBenchmark {
    /** Tokens of the prompt. */
    @Param({"256", "1024"})
    public int prompt;

    /** Tokens of an iteration: the engine's prompts come in chunks of 256. */
    @Param("256")
    public int chunk;

    /** Query heads / KV heads. */
    @Param({"12/12", "32/4"})
    public String heads;

    /** Width of a head; a GPU has kernels for 64, 80, 96 and 128. */
    @Param("64")
    public int headDim;

    /** Tokens of a KV block, a multiple of 64; the engine's have 64. */
    @Param("64")
    public int block;

    private final List<Batch> chunks = new ArrayList<>();
    private AttentionRun attention;

    @Setup(Level.Trial)
    public void fill() throws IOException {
        requireAtLeast("prompt", prompt, 1);
        requireAtLeast("chunk", chunk, 1);
        AttentionRun.requireBlock(block);
        AttentionShape shape = AttentionRun.shape(heads, headDim, prompt);
        attention =
                new AttentionRun(
                        LocalDevices.open(engine, dtype, false), shape, block, 1, 1, prompt, chunk);
        for (int from = 0; from < prompt; from += chunk) {
            Batch batch = attention.run().newBatch();
            attention.run().add(batch, 0, from, Math.min(from + chunk, prompt));
            chunks.add(batch);
        }
        attention.project(chunks.get(0));
    }

    @Benchmark
    public float[] attention(FlopCounters flops) {
        float[] done = new float[0];
        for (Batch batch : chunks) done = attention.attend(batch);
        flops.add(attention.flops((long) prompt * (prompt + 1) / 2));
        return done;
    }

    @TearDown(Level.Trial)
    public void close() {
        attention.close();
    }
}
