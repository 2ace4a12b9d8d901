package org.tokenrate.bench;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.device.Batch;
import org.tokenrate.model.ModelSource;

/**
 * One iteration of decoding: the next token of each of {@link #batch} sequences, through the whole
 * model, the scheduler aside. Each invocation decodes the same position again, so a context stays
 * as long as it is asked for.
 *
 * <p>The score is iterations a second: with {@code tokens}, the output tokens/s that an engine can
 * reach at that concurrency. {@code gb} is what an iteration must read, in GB/s: all weights but
 * the embedding once, and every sequence's keys and values, on all ranks together: what ranks hold
 * twice (norms, KV heads that are fewer than ranks) counts twice. Beside {@code
 * ReadBandwidthBenchmark} it says how far decoding is from the limit, while {@code gflop} (products
 * and attention) is far from the processor's. The model must be larger than the last cache for
 * that.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar "DecodeBenchmark|ReadBandwidth" -p batch=1,16,64 -p context=512
 * java -jar target/benchmarks.jar DecodeBenchmark -p model=random:tinyllama-1.1b -p modelFormat=hf,awq -p batch=1
 * }</pre>
 */
public class DecodeBenchmark extends WholeModelBenchmark {
    /** Sequences that decode at once. */
    @Param({"1", "16", "64"})
    public int batch;

    /** Tokens of each, the one that goes through the model among them. */
    @Param("512")
    public int context;

    private WholeModel whole;
    private Batch last;

    @Setup(Level.Trial)
    public void load() throws IOException {
        requireAtLeast("batch", batch, 1);
        requireAtLeast("context", context, 1);
        ModelSource source = Models.of(model, modelFormat);
        whole = new WholeModel(devices(batch, true), source, batch, batch, context);
        last = whole.run().newBatch();
        for (int s = 0; s < batch; s++) {
            whole.run().add(last, s, context - 1, context);
            last.sampleNext(1, 1, 1, s);
        }
    }

    @Benchmark
    public int[] decode(TokenCounters counters, FlopCounters flops, ByteCounters bytes) {
        counters.tokens += batch;
        long seen = (long) batch * context;
        flops.add(
                WholeModel.productFlops(whole.config(), batch, batch)
                        + WholeModel.attentionFlops(whole.config(), seen));
        bytes.add(whole.weightBytes() + whole.kvBytes() * seen);
        return whole.iterate(last);
    }

    @TearDown(Level.Trial)
    public void close() {
        whole.close();
    }
}
