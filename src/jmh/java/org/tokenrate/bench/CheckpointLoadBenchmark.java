package org.tokenrate.bench;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;

/**
 * Loading a model from a warm page cache until the CPU device could answer, beside a plain copy of
 * as many bytes by as many threads. The goal: {@code load} has at least half the bytes per second
 * of the copy.
 *
 * <p>There are two copies, since a load begins with memory that the process has never touched,
 * which under a hypervisor that takes free memory back can cost ten times the copy itself: {@code
 * copy} goes to memory that is there, {@code copyToNew} to memory asked for as a load asks for it,
 * in huge pages. Loads that follow each other within a second or two get the memory of the last
 * one; on a busy machine they do not.
 *
 * <p>{@code java -jar target/benchmarks.jar CheckpointLoadBenchmark}; the files lie in the
 * temporary folder until the end. {@code bytes} is the counter to read: bytes of weights a second.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 3)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "--add-modules=jdk.incubator.vector",
            "-XX:+IgnoreUnrecognizedVMOptions",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseParallelGC",
            "-XX:+UseTransparentHugePages",
            "-Xmx4g"
        })
public class CheckpointLoadBenchmark {
    /** The bytes of weights that were loaded or copied. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Bytes {
        public long bytes;
    }

    /** What is measured. */
    @State(Scope.Benchmark)
    public static class Model {
        private static final int BLOCK = 1 << 20;
        private static final long HUGE_PAGE = 2 << 20;

        /** Linux's MADV_HUGEPAGE. */
        private static final int ADVISE_HUGE = 14;

        /** load: to ready weights; copy and copyToNew: the same bytes from memory to memory. */
        @Param({"load", "copy", "copyToNew"})
        public String work;

        /** How the model lies on disk: hf is safetensors. */
        @Param({"hf"})
        public String format;

        /** Element type of the file: f32, f16 or bf16. */
        @Param({"bf16"})
        public String stored;

        /** 110m: 12 layers of 768, 110 M parameters; 600m: 8 layers of 2048, 1.3 GB in bf16. */
        @Param({"110m", "600m"})
        public String model;

        private GeneratedModel generated;
        private Path folder;
        private int threads;
        private byte[][] from;
        private byte[][] to;

        @Setup
        public void write() throws IOException {
            if (!format.equals("hf")) {
                throw new IllegalArgumentException("format=" + format + " is not known; use hf");
            }
            threads = Runtime.getRuntime().availableProcessors();
            generated = GeneratedModel.named(model, stored);
            switch (work) {
                case "load" -> {
                    folder = Files.createTempDirectory("checkpoint-load");
                    generated.write(folder);
                }
                case "copy" -> {
                    from = blocks();
                    to = blocks();
                }
                case "copyToNew" -> from = blocks();
                default ->
                        throw new IllegalArgumentException(
                                "work=" + work + " is not known; use load, copy or copyToNew");
            }
        }

        /** Blocks of a MiB: what two threads take in turn is spread over the memory. */
        private byte[][] blocks() {
            byte[][] blocks = new byte[(int) ((generated.bytes() / BLOCK) + 1)][];
            for (int i = 0; i < blocks.length; i++) {
                blocks[i] = new byte[BLOCK];
                Arrays.fill(blocks[i], (byte) i);
            }
            return blocks;
        }

        long run() throws IOException {
            return switch (work) {
                case "load" -> load();
                case "copy" -> copy(i -> System.arraycopy(from[i], 0, to[i], 0, BLOCK));
                default -> copyToNew();
            };
        }

        private long copyToNew() {
            long bytes = (long) from.length * BLOCK;
            try (BytePointer memory = new BytePointer(bytes + HUGE_PAGE)) {
                long start = (memory.address() / HUGE_PAGE + 1) * HUGE_PAGE;
                if (Platform.isLinux()) {
                    NativeLibrary.getInstance("c")
                            .getFunction("madvise")
                            .invokeInt(new Object[] {new Pointer(start), bytes, ADVISE_HUGE});
                }
                BytePointer aligned = memory.getPointer(start - memory.address());
                return copy(i -> aligned.getPointer((long) i * BLOCK).put(from[i], 0, BLOCK));
            }
        }

        private long copy(IntConsumer block) {
            IntStream.range(0, threads)
                    .parallel()
                    .forEach(
                            t -> {
                                int first = (int) ((long) from.length * t / threads);
                                int end = (int) ((long) from.length * (t + 1) / threads);
                                for (int i = first; i < end; i++) block.accept(i);
                            });
            return (long) from.length * BLOCK;
        }

        private long load() throws IOException {
            try (CpuDevice device = new CpuDevice(CpuDevice.preferredType(), threads);
                    HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
                new Decoder(ModelConfig.read(folder), checkpoint, device, 1, 1);
            }
            return generated.bytes();
        }

        @TearDown
        public void delete() throws IOException {
            if (folder == null) return;
            try (Stream<Path> files = Files.list(folder)) {
                files.forEach(Model::delete);
            }
            Files.delete(folder);
        }

        private static void delete(Path file) {
            try {
                Files.delete(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Benchmark
    public void ready(Model model, Bytes counter) throws IOException {
        counter.bytes += model.run();
    }
}
