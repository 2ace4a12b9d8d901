package org.tokenrate.bench;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.engine.local.LocalDevices;

/**
 * How fast this machine's processor reads its memory: the limit of whatever reads each byte for
 * little arithmetic, which is decoding. Every thread sums up an array of its own, in the manner of
 * STREAM, but without its writes, since weights and keys and values are only read.
 *
 * <p>Read {@code gb}, in GB/s. Arrays smaller than the last cache ({@code -p mb=8}) show the
 * cache's bandwidth instead. Of a GPU it says nothing.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar ReadBandwidth -p engine=cpu:1,cpu
 * }</pre>
 *
 * @see <a href="https://www.cs.virginia.edu/stream/">STREAM</a>
 */
public class ReadBandwidthBenchmark extends PartBenchmark {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int AT_ONCE = 4 * SPECIES.length();

    /** MiB that all threads read together: many times the last cache. */
    @Param("1024")
    public int mb;

    private ExecutorService threads;
    private float[][] arrays;

    @Setup(Level.Trial)
    public void allocate() throws InterruptedException, ExecutionException {
        requireAtLeast("mb", mb, 1);
        int count = LocalDevices.cpuThreads(engine);
        long floats = mb * MIB / Float.BYTES / count;
        if (floats > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "mb=%d is more than %d threads' arrays hold, e.g. -p mb=1024"
                            .formatted(mb, count));
        }
        threads = Executors.newFixedThreadPool(count);
        arrays = new float[count][];
        all(i -> fill(i, (int) floats));
    }

    /** Written, since memory that is only read may be one page over and over. */
    private float fill(int i, int floats) {
        arrays[i] = new float[floats / AT_ONCE * AT_ONCE];
        Arrays.fill(arrays[i], 0.5f);
        return 0;
    }

    private interface Part {
        float run(int thread);
    }

    private float all(Part part) throws InterruptedException, ExecutionException {
        var tasks =
                IntStream.range(0, arrays.length)
                        .mapToObj(i -> (Callable<Float>) () -> part.run(i))
                        .toList();
        float sum = 0;
        for (Future<Float> f : threads.invokeAll(tasks)) sum += f.get();
        return sum;
    }

    /** Bytes that an invocation reads. */
    long bytes() {
        return Arrays.stream(arrays).mapToLong(a -> (long) a.length * Float.BYTES).sum();
    }

    @Benchmark
    public float read(ByteCounters counted) throws InterruptedException, ExecutionException {
        counted.add(bytes());
        return all(i -> sum(arrays[i]));
    }

    /** Four sums side by side: one would wait for its own additions. */
    private static float sum(float[] x) {
        int lanes = SPECIES.length();
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < x.length; i += AT_ONCE) {
            a = a.add(FloatVector.fromArray(SPECIES, x, i));
            b = b.add(FloatVector.fromArray(SPECIES, x, i + lanes));
            c = c.add(FloatVector.fromArray(SPECIES, x, i + 2 * lanes));
            d = d.add(FloatVector.fromArray(SPECIES, x, i + 3 * lanes));
        }
        return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
    }

    @TearDown(Level.Trial)
    public void close() {
        threads.shutdown();
    }
}
