package org.tokenrate.bench;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;

/**
 * Attention of sequences that decode: each has one query a head, which goes over all keys and
 * values of its context. There is so little arithmetic that reading them decides, and with many
 * requests in flight they are several times the weights: this part sets the pace then.
 *
 * <p>Read {@code gb}: keys and values read a second in GB/s, counted once for all query heads that
 * share them (2 * KV heads * headDim * context * bytes of a number, for each sequence and layer).
 * {@code ReadBandwidthBenchmark} says what the machine could read. {@code gflop} counts 4 * heads *
 * headDim * context: with many query heads to a KV head arithmetic may decide after all.
 *
 * <p>Keys and values lie in blocks of {@link #block} tokens in random places of the pool, in as
 * many layers as make {@link #kvMb} MiB, more than the last cache holds; an invocation goes through
 * all layers. Larger blocks make longer runs of memory and shorter block tables; what a context
 * leaves empty of its last block takes memory and counts for nothing.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar "DecodeAttention|ReadBandwidth" -p batch=1,16,64 -p context=256,1024 -p heads=32/4 -p block=64,256
 * }</pre>
 */
public class DecodeAttentionBenchmark extends DeviceBenchmark {
    /** Sequences that decode at once. */
    @Param({"1", "64"})
    public int batch;

    /** Tokens that each query sees, itself among them. */
    @Param("512")
    public int context;

    /** Query heads / KV heads. */
    @Param({"12/12", "32/4"})
    public String heads;

    /** Width of a head; a GPU has kernels for 64, 80, 96 and 128. */
    @Param("64")
    public int headDim;

    /** Tokens of a KV block, a multiple of 64; the engine's have 64. */
    @Param("64")
    public int block;

    /** MiB of keys and values that an invocation reads, at least. */
    @Param("256")
    public int kvMb;

    private AttentionRun attention;
    private Batch last;

    @Setup(Level.Trial)
    public void fill() throws IOException {
        requireAtLeast("batch", batch, 1);
        requireAtLeast("context", context, 1);
        requireAtLeast("kvMb", kvMb, 1);
        AttentionRun.requireBlock(block);
        AttentionShape shape = AttentionRun.shape(heads, headDim, context);
        attention =
                AttentionRun.ofBytes(
                        engine,
                        dtype,
                        shape,
                        block,
                        batch,
                        context,
                        Math.max(batch, 256),
                        kvMb * MIB);
        last = attention.run().lastTokens();
        attention.project(last);
    }

    @Benchmark
    public float[] attention(FlopCounters flops, ByteCounters bytes) {
        flops.add(attention.flops((long) batch * context));
        bytes.add(attention.bytes((long) batch * context));
        return attention.attend(last);
    }

    @TearDown(Level.Trial)
    public void close() {
        attention.close();
    }
}
