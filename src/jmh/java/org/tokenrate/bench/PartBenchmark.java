package org.tokenrate.bench;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the benchmarks of the engine's parts have in common: JVM flags, times, checks. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"},
        jvmArgs = {"-XX:MaxRAMPercentage=70", "-XX:+UseParallelGC", "-XX:+UseTransparentHugePages"})
public abstract class PartBenchmark {
    /** Bytes in a MiB. */
    static final long MIB = 1 << 20;

    /** Whose device: {@code auto}, {@code cpu}, {@code cpu:THREADS} or {@code cuda}. */
    @Param("auto")
    public String engine;

    /**
     * @throws IllegalArgumentException unless the parameter is at least {@code least}
     */
    static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "%s=%d must be at least %d, e.g. -p %s=%d"
                            .formatted(name, value, least, name, Math.max(16, least)));
        }
    }

    /**
     * @throws IllegalArgumentException unless the parameter is one of the choices
     */
    static void requireOneOf(String name, String value, List<String> choices) {
        if (!choices.contains(value)) {
            throw new IllegalArgumentException(
                    "%s=%s must be one of %s, e.g. -p %s=%s"
                            .formatted(
                                    name, value, String.join(", ", choices), name, choices.get(0)));
        }
    }

    /** How often {@code each} goes into {@code total}, rounded up, once at least. */
    static int copies(long total, long each) {
        return Math.toIntExact(Math.max(1, (total + each - 1) / each));
    }
}
