package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /**
     * Adds the next slice: {@code count} outputs.
     *
     * @param pairPanels whether {@link OneRowBf16} takes its weights
     */
    void add(int count, List<Span> spans, boolean pairPanels) {
        slices.add(new Slice(slices.size(), outputs, count, spans, pairPanels));
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

    /** Readies every slice, so that {@link #run} is one native call a span. */
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
            for (Span span : s.spans) bytes += span.bytes();
            bytes += s.bias.limit() - s.bias.position();
        }
        return bytes;
    }

    /** Each span's weights, slice by slice, as they lie in memory; for tests and diagnosis. */
    List<byte[]> toBytes() {
        return slices.stream().flatMap(s -> s.spans.stream()).map(Span::toBytes).toList();
    }

    @Override
    void free() {
        slices.forEach(Slice::free);
        slices.clear();
    }

    /**
     * The weights of some inputs of a slice: a slice's spans are multiplied one after the other.
     *
     * @param layout of {@code [inputs, outputs of the slice]}
     */
    record Span(int firstInput, int inputs, BytePointer weights, dnnl_memory_desc layout) {
        long bytes() {
            return weights.limit() - weights.position();
        }

        byte[] toBytes() {
            byte[] bytes = new byte[Math.toIntExact(bytes())];
            weights.get(bytes);
            return bytes;
        }
    }

    /** A primitive with its arguments bound: what is left to do a call is one native call. */
    private record Run(dnnl_primitive primitive, dnnl_exec_arg_t arguments, int argumentCount) {}

    private record Call(int rows, CpuTensor x, Epilogue.Target target) {}

    private final class Slice {
        private static final int ARGUMENTS = 6;

        private final int index;
        private final int firstOutput;
        private final int count;
        private final List<Span> spans;
        private final dnnl_stream stream = OneDnn.stream();
        private final Map<Call, Run[]> runs = new HashMap<>();
        private final List<dnnl_memory> bound = new ArrayList<>();
        private BytePointer bias = new BytePointer(); // of nothing: no bias
        private Call call = new Call(0, NONE, new Epilogue.Target(NONE, After.NOTHING, NONE));
        private Optional<OneRowBf16> oneRow = Optional.empty();
        private Run[] next = new Run[0];

        Slice(int index, int firstOutput, int count, List<Span> spans, boolean pairPanels) {
            this.index = index;
            this.firstOutput = firstOutput;
            this.count = count;
            this.spans = spans;
            if (pairPanels) oneRow = Optional.of(new OneRowBf16(count, spans, new float[0]));
        }

        void addBias(float[] all) {
            if (oneRow.isPresent()) oneRow = Optional.of(new OneRowBf16(count, spans, all));
            bias = OneDnn.allocate((long) count * Float.BYTES);
            bias.asByteBuffer()
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(all, firstOutput, count);
        }

        void prepare(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {
            Epilogue.Target last = call.target;
            if (call.rows == rows
                    && call.x == x
                    && last.y() == y
                    && last.after() == after
                    && last.factor() == factor) {
                return;
            }
            call = new Call(rows, x, new Epilogue.Target(y, after, factor));
            if (!isOneRow()) next = runs.computeIfAbsent(call, this::bind);
        }

        private boolean isOneRow() {
            return call.rows == 1 && oneRow.isPresent();
        }

        private Run[] bind(Call call) {
            Run[] all = new Run[spans.size()];
            for (int i = 0; i < all.length; i++) all[i] = bind(call, i);
            return all;
        }

        /** Only the first span's product adds the bias, and only the last does what comes after. */
        private Run bind(Call call, int i) {
            Span span = spans.get(i);
            CpuTensor y = call.target.y();
            After last = call.target.after();
            After after = i == spans.size() - 1 ? last : After.NOTHING;
            var shape =
                    new MatrixProducts.Shape(
                            index,
                            call.rows,
                            span.inputs,
                            inputs,
                            count,
                            y.columns(),
                            y.type(),
                            i > 0 || last == After.ADD,
                            after,
                            i == 0 && !bias.isNull());
            MatrixProducts.Product product = products.product(shape, span.layout);
            dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(ARGUMENTS);
            BytePointer x =
                    call.x.memory().getPointer((long) span.firstInput * call.x.type().bytes());
            set(arguments, 0, dnnl.DNNL_ARG_SRC, memoryAt(product.source(), x));
            set(arguments, 1, dnnl.DNNL_ARG_WEIGHTS, memoryAt(span.layout, span.weights));
            set(arguments, 2, dnnl.DNNL_ARG_DST, memoryAt(product.result(), columns(y)));
            set(arguments, 3, dnnl.DNNL_ARG_SCRATCHPAD, product.scratchpad());
            int argumentCount = 4;
            if (shape.bias()) {
                dnnl_memory_desc description = MatrixProducts.bias(count);
                set(arguments, argumentCount++, dnnl.DNNL_ARG_BIAS, memoryAt(description, bias));
                dnnl.dnnl_memory_desc_destroy(description);
            }
            if (after == After.MULTIPLY) {
                dnnl_memory_desc description = MatrixProducts.factor(shape);
                set(
                        arguments,
                        argumentCount++,
                        MatrixProducts.factorArgument(shape),
                        memoryAt(description, columns(call.target.factor())));
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
            if (isOneRow()) {
                oneRow.get().multiply(call.target, call.x, firstOutput);
                return;
            }
            for (Run run : next) {
                OneDnn.check(
                        dnnl.dnnl_primitive_execute(
                                run.primitive, stream, run.argumentCount, run.arguments),
                        "dnnl_primitive_execute");
            }
        }

        void free() {
            bound.forEach(dnnl::dnnl_memory_destroy);
            for (Run[] all : runs.values()) for (Run run : all) run.arguments.deallocate();
            dnnl.dnnl_stream_destroy(stream);
            for (Span span : spans) dnnl.dnnl_memory_desc_destroy(span.layout);
            bias.deallocate();
        }
    }
}
