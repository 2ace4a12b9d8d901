package org.tokenrate.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Tensor;
import org.tokenrate.device.cpu.CpuDevice;

/**
 * A linear layer of 4 bits beside the same of 16, on the CPU. Layer follows layer, as in a model:
 * together their 16-bit weights are {@link #MODEL_BYTES}, more than the caches hold, so that
 * weights come from memory. One operation is one layer.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar AwqLinear -p shape=2048x5632 -p rows=1,16
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"},
        jvmArgs = {"-XX:MaxRAMPercentage=70", "-XX:+UseParallelGC", "-XX:+UseTransparentHugePages"})
public class AwqLinearBenchmark {
    private static final long MODEL_BYTES = 256 << 20;
    private static final int GROUP_SIZE = 128;

    /** How the weights are stored. */
    @Param({"bf16", "awq"})
    public String weights;

    /** Inputs x outputs. */
    @Param({"768x2048", "2048x5632", "4096x4096"})
    public String shape;

    /** Tokens of an iteration. */
    @Param({"1", "2", "4", "8", "16", "32", "64", "256"})
    public int rows;

    private final List<Matrix> layers = new ArrayList<>();
    private CpuDevice device;
    private Tensor x;
    private Tensor y;
    private int next;

    @Setup(Level.Trial)
    public void load() throws IOException {
        String[] sizes = shape.split("x");
        int inputs = Integer.parseInt(sizes[0]);
        int outputs = Integer.parseInt(sizes[1]);
        device = new CpuDevice(DType.BF16, Runtime.getRuntime().availableProcessors());
        LinearData data = weights.equals("awq") ? awq(inputs, outputs) : dense(inputs, outputs);
        for (long bytes = 0; bytes < MODEL_BYTES; bytes += 2L * inputs * outputs) {
            layers.add(device.loadMatrix(List.of(data), List.of()));
        }
        x = device.newInput(rows, inputs);
        y = device.newTensor(rows, outputs);
    }

    @Benchmark
    public void layer() {
        device.linear(x, layers.get(next), rows, y);
        next = (next + 1) % layers.size();
    }

    @TearDown(Level.Trial)
    public void close() {
        device.close();
    }

    private static LinearData dense(int inputs, int outputs) {
        return new DenseData(random("weight", DType.BF16, outputs, inputs, 0x3fff));
    }

    private static LinearData awq(int inputs, int outputs) {
        int groups = inputs / GROUP_SIZE;
        return new AwqData(
                "layer",
                random("qweight", DType.I32, inputs, outputs / 8, -1),
                random("qzeros", DType.I32, groups, outputs / 8, -1),
                random("scales", DType.F16, groups, outputs, 0x2fff),
                GROUP_SIZE,
                0,
                outputs);
    }

    /** Random bits under a mask, which keeps floats finite. */
    private static TensorData random(String name, DType type, int rows, int columns, int mask) {
        int rowBytes = columns * type.bytes();
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(rows * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(1);
        while (bytes.hasRemaining()) {
            int bits = random.nextInt() & mask;
            if (type.bytes() == 2) bytes.putShort((short) bits);
            else bytes.putInt(bits);
        }
        return new TensorData() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public DType type() {
                return type;
            }

            @Override
            public long[] shape() {
                return new long[] {rows, columns};
            }

            @Override
            public ByteBuffer rows(long from, long to) {
                return bytes.slice((int) from * rowBytes, (int) (to - from) * rowBytes)
                        .order(ByteOrder.LITTLE_ENDIAN);
            }
        };
    }
}
