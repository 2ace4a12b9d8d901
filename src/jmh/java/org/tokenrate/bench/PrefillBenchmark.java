package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.model.ModelSource;

/**
 * A prompt's way through the whole model, chunk by chunk, to its first token: what a request waits
 * for on an idle engine, scheduler and tokenizer aside.
 *
 * <p>Read {@code tokens}, prompt tokens/s, and {@code gflop}: the products' operations over the
 * whole time, in GFLOP/s. So attention, norms and the rest count as time and not as work, and the
 * figure is to be compared with {@code LinearBenchmark.bare} at {@code rows} = {@link #chunk}. With
 * {@code work=products} everything but the products is left out, what ranks tell each other too:
 * the difference is what the rest costs.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar "PrefillBenchmark|LinearBenchmark.bare" -p prompt=1024 -p rows=256 -p work=model,products
 * }</pre>
 */
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class PrefillBenchmark extends WholeModelBenchmark {
    /** Tokens of the prompt. */
    @Param({"128", "1024"})
    public int prompt;

    /** Tokens of an iteration: the engine's prompts come in chunks of 256. */
    @Param("256")
    public int chunk;

    /** model, or products: its matrix products alone. */
    @Param("model")
    public String work;

    private final List<Batch> chunks = new ArrayList<>();
    private WholeModel whole;

    @Setup(Level.Trial)
    public void load() throws IOException {
        requireAtLeast("prompt", prompt, 1);
        requireAtLeast("chunk", chunk, 1);
        requireOneOf("work", work, List.of("model", "products"));
        ModelSource source = Models.of(model, modelFormat);
        List<Device> devices = devices(1, false);
        if (work.equals("products")) devices = ProductsOnlyDevice.onEach(devices);
        whole = new WholeModel(devices, source, chunk, 1, prompt);
        for (int from = 0; from < prompt; from += chunk) {
            Batch batch = whole.run().newBatch();
            whole.run().add(batch, 0, from, Math.min(from + chunk, prompt));
            chunks.add(batch);
        }
        chunks.get(chunks.size() - 1).sampleNext(1, 1, 1, 0);
    }

    @Benchmark
    public int[] prefill(TokenCounters counters, FlopCounters flops) {
        int[] chosen = new int[0];
        for (Batch batch : chunks) chosen = whole.iterate(batch);
        counters.tokens += prompt;
        flops.add(WholeModel.productFlops(whole.config(), prompt, 1));
        return chosen;
    }

    @TearDown(Level.Trial)
    public void close() {
        whole.close();
    }
}
