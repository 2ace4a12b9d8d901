package org.tokenrate.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Tensor;
import org.tokenrate.engine.local.LocalDevices;
import org.tokenrate.model.ModelSource;

/**
 * A model's matrix products: most of what an engine computes. {@code device} is what the engine
 * does, {@code bare} the bare oneDNN primitive on the same shapes, with as many threads of its own.
 *
 * <p>With few rows a product reads each weight for little arithmetic: look at {@code gb}, the
 * weights read a second in GB/s, beside {@code ReadBandwidthBenchmark}. With many rows arithmetic
 * decides: look at {@code gflop}, in GFLOP/s (2 * rows * inputs * outputs a product), where {@code
 * device} should come near {@code bare}.
 *
 * <p>An invocation goes round copies of the matrices that are {@link #weightsMb} MiB together, more
 * than the last cache holds, so that weights come from memory as in a model. {@code -p weightsMb=1}
 * keeps them in the cache.
 *
 * <pre>{@code
 * java -jar target/benchmarks.jar LinearBenchmark -p model=random:tinyllama-1.1b -p matrix=qkv,down -p rows=1,16,256
 * java -jar target/benchmarks.jar LinearBenchmark.device -p modelFormat=hf,awq -p rows=1
 * }</pre>
 */
public class LinearBenchmark extends DeviceBenchmark {
    /** Whose shapes: builtin, random:SHAPE or a model's folder. */
    @Param("random:llama-110m")
    public String model;

    /** hf; or awq, for weights of 4 bits. */
    @Param("hf")
    public String modelFormat;

    /** qkv, output, gate, up, down, head; or layer, for all of a decoder layer in turn. */
    @Param("layer")
    public String matrix;

    /** Rows of the input (M): tokens of an iteration, or sequences that decode. */
    @Param({"1", "16", "256"})
    public int rows;

    /** MiB of weights that an invocation goes through. */
    @Param("256")
    public int weightsMb;

    private List<LayerMatrix> shapes() throws IOException {
        requireAtLeast("rows", rows, 1);
        requireAtLeast("weightsMb", weightsMb, 1);
        return LayerMatrix.named(matrix, Models.of(model, modelFormat).config());
    }

    /** The engine's products. */
    @State(Scope.Benchmark)
    public static class OnDevice {
        private final List<Matrix> weights = new ArrayList<>();
        private List<LayerMatrix> shapes;
        private Tensor[] inputs;
        private Tensor[] results;
        private DeviceRun run;
        private Batch batch;
        private double bytes;

        @Setup(Level.Trial)
        public void load(LinearBenchmark b) throws IOException {
            shapes = b.shapes();
            ModelSource source = Models.of(b.model, b.modelFormat);
            run = new DeviceRun(LocalDevices.open(b.engine, b.dtype, false), b.rows, b.rows);
            Device device = run.device();
            List<DeviceRun.Noise> noise = new ArrayList<>();
            results = new Tensor[shapes.size()];
            for (LayerMatrix m : shapes) {
                noise.add(run.noise(m.inputs()));
                results[noise.size() - 1] = device.newProduct(b.rows, m.outputs());
            }
            while (bytes < b.weightsMb * MIB) {
                for (LayerMatrix m : shapes) {
                    Matrix matrix = device.loadMatrix(List.of(m.weights(source)), List.of());
                    weights.add(matrix);
                    bytes += matrix.bytes();
                }
            }
            run.begin();
            batch = run.prompt(b.rows);
            inputs = noise.stream().map(n -> n.of(batch)).toArray(Tensor[]::new);
        }

        private void queue() {
            int n = shapes.size();
            for (int i = 0; i < weights.size(); i++) {
                run.device()
                        .linear(inputs[i % n], weights.get(i), batch.tokenCount(), results[i % n]);
            }
        }

        double flops() {
            double copies = (double) weights.size() / shapes.size();
            return copies * shapes.stream().mapToDouble(m -> m.flops(batch.tokenCount())).sum();
        }

        @TearDown(Level.Trial)
        public void close() {
            run.close();
        }
    }

    /** The bare primitives: in a fork of their own, where OpenMP's threads have the cores. */
    @State(Scope.Benchmark)
    public static class Bare {
        private final List<BareProduct> products = new ArrayList<>();
        private double flops;
        private double bytes;

        @Setup(Level.Trial)
        public void make(LinearBenchmark b) throws IOException {
            List<LayerMatrix> shapes = b.shapes();
            BareProduct.load(LocalDevices.cpuThreads(b.engine));
            BareProduct.Types types = BareProduct.types(b.dtype);
            while (bytes < b.weightsMb * MIB) {
                for (LayerMatrix m : shapes) {
                    var product = new BareProduct(types, b.rows, m.inputs(), m.outputs());
                    products.add(product);
                    flops += m.flops(b.rows);
                    bytes += product.weightBytes();
                }
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            products.forEach(BareProduct::close);
        }
    }

    /** The engine's products on its device. */
    @Benchmark
    public float[] device(OnDevice device, FlopCounters flops, ByteCounters bytes) {
        float[] done = device.run.run(device.batch, device::queue);
        flops.add(device.flops());
        bytes.add(device.bytes);
        return done;
    }

    /** oneDNN's products on the CPU, as oneDNN shares them out; always of dense weights. */
    @Benchmark
    public void bare(Bare bare, FlopCounters flops, ByteCounters bytes) {
        for (BareProduct product : bare.products) product.run();
        flops.add(bare.flops);
        bytes.add(bare.bytes);
    }
}
