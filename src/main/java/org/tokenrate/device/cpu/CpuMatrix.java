package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.device.cpu.MatrixProducts.After;

/** Dense weights, each slice in oneDNN's layout. */
final class CpuMatrix extends SlicedMatrix {
    private final int inputs;
    private final MatrixProducts products;
    private final List<Slice> slices = new ArrayList<>();
    private int outputs;

    CpuMatrix(int inputs, MatrixProducts products) {
        this.inputs = inputs;
        this.products = products;
    }

    /** Adds the next slice: {@code count} outputs. */
    void add(int count, BytePointer weights, dnnl_memory_desc layout) {
        dnnl_memory memory = OneDnn.memory(layout, weights);
        dnnl_stream stream = OneDnn.stream();
        slices.add(new Slice(slices.size(), outputs, count, weights, layout, memory, stream));
        outputs += count;
    }

    /** Lets every product add a bias of {@code [outputs]}; before the first product. */
    void addBias(float[] bias) throws IOException {
        if (bias.length != outputs) {
            throw new IOException(
                    "a bias of %d numbers does not fit %d outputs".formatted(bias.length, outputs));
        }
        for (Slice slice : slices) slice.addBias(bias);
    }

    /** Readies every slice, so that {@link #run} is one native call. */
    @Override
    void prepare(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {
        int bucket = Math.min(MatrixProducts.bucket(rows), x.rows());
        for (Slice slice : slices) slice.prepare(bucket, x, y, after, factor);
    }

    @Override
    int sliceCount() {
        return slices.size();
    }

    @Override
    public void run(int item, int thread) {
        slices.get(item).execute();
    }

    @Override
    public int inputs() {
        return inputs;
    }

    @Override
    public int outputs() {
        return outputs;
    }

    @Override
    public long bytes() {
        long bytes = 0;
        for (Slice s : slices) {
            bytes += s.weights.limit() - s.weights.position();
            bytes += s.bias.limit() - s.bias.position();
        }
        return bytes;
    }

    /** Each slice's weights as they lie in memory; for tests and diagnosis. */
    List<byte[]> toBytes() {
        return slices.stream().map(Slice::toBytes).toList();
    }

    @Override
    void free() {
        slices.forEach(Slice::free);
        slices.clear();
    }

    /** A primitive with its arguments bound: what is left to do a call is one native call. */
    private record Run(dnnl_primitive primitive, dnnl_exec_arg_t arguments, int argumentCount) {}

    private record Call(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {}

    private final class Slice {
        private static final int ARGUMENTS = 6;

        private final int index;
        private final int firstOutput;
        private final int count;
        private final BytePointer weights;
        private final dnnl_memory_desc layout;
        private final dnnl_memory memory;
        private final dnnl_stream stream;
        private final Map<Call, Run> runs = new HashMap<>();
        private final List<dnnl_memory> bound = new ArrayList<>();
        private BytePointer bias = new BytePointer(); // of nothing: no bias
        private Call lastCall = new Call(0, NONE, NONE, After.NOTHING, NONE);
        private Run next;

        Slice(
                int index,
                int firstOutput,
                int count,
                BytePointer weights,
                dnnl_memory_desc layout,
                dnnl_memory memory,
                dnnl_stream stream) {
            this.index = index;
            this.firstOutput = firstOutput;
            this.count = count;
            this.weights = weights;
            this.layout = layout;
            this.memory = memory;
            this.stream = stream;
        }

        void addBias(float[] all) {
            bias = OneDnn.allocate((long) count * Float.BYTES);
            bias.asByteBuffer()
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(all, firstOutput, count);
        }

        void prepare(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {
            if (lastCall.rows == rows
                    && lastCall.x == x
                    && lastCall.y == y
                    && lastCall.after == after
                    && lastCall.factor == factor) {
                return;
            }
            lastCall = new Call(rows, x, y, after, factor);
            next = runs.computeIfAbsent(lastCall, this::bind);
        }

        private Run bind(Call call) {
            CpuTensor y = call.y;
            var shape =
                    new MatrixProducts.Shape(
                            index,
                            call.rows,
                            inputs,
                            count,
                            y.columns(),
                            y.type(),
                            call.after,
                            !bias.isNull());
            MatrixProducts.Product product = products.product(shape, layout);
            dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(ARGUMENTS);
            set(arguments, 0, dnnl.DNNL_ARG_SRC, memoryAt(product.source(), call.x.memory()));
            set(arguments, 1, dnnl.DNNL_ARG_WEIGHTS, memory);
            set(arguments, 2, dnnl.DNNL_ARG_DST, memoryAt(product.result(), columns(y)));
            set(arguments, 3, dnnl.DNNL_ARG_SCRATCHPAD, product.scratchpad());
            int argumentCount = 4;
            if (shape.bias()) {
                dnnl_memory_desc description = MatrixProducts.bias(count);
                set(arguments, argumentCount++, dnnl.DNNL_ARG_BIAS, memoryAt(description, bias));
                dnnl.dnnl_memory_desc_destroy(description);
            }
            if (call.after == After.MULTIPLY) {
                dnnl_memory_desc description = MatrixProducts.factor(shape);
                set(
                        arguments,
                        argumentCount++,
                        dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | dnnl.DNNL_ARG_SRC_1,
                        memoryAt(description, columns(call.factor)));
                dnnl.dnnl_memory_desc_destroy(description);
            }
            arguments.position(0);
            return new Run(product.primitive(), arguments, argumentCount);
        }

        private static void set(dnnl_exec_arg_t arguments, int i, int name, dnnl_memory memory) {
            arguments.position(i).arg(name).memory(memory);
        }

        /** Where this slice's columns of a tensor begin. */
        private BytePointer columns(CpuTensor tensor) {
            return tensor.memory().getPointer((long) firstOutput * tensor.type().bytes());
        }

        private dnnl_memory memoryAt(dnnl_memory_desc description, BytePointer address) {
            dnnl_memory m = OneDnn.memory(description, address);
            bound.add(m);
            return m;
        }

        void execute() {
            OneDnn.check(
                    dnnl.dnnl_primitive_execute(
                            next.primitive, stream, next.argumentCount, next.arguments),
                    "dnnl_primitive_execute");
        }

        byte[] toBytes() {
            byte[] bytes = new byte[Math.toIntExact(weights.limit() - weights.position())];
            weights.get(bytes);
            return bytes;
        }

        void free() {
            bound.forEach(dnnl::dnnl_memory_destroy);
            runs.values().forEach(r -> r.arguments.deallocate());
            dnnl.dnnl_memory_destroy(memory);
            dnnl.dnnl_stream_destroy(stream);
            dnnl.dnnl_memory_desc_destroy(layout);
            bias.deallocate();
        }
    }
}
