package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** Brings weights from a checkpoint's rows into the layout of oneDNN's products. */
final class MatrixLoader {
    private final MatrixProducts products;
    private final int threads;

    MatrixLoader(MatrixProducts products, int threads) {
        this.products = products;
        this.threads = threads;
    }

    /** A matrix whose rows are those of the parts, one below the other; a slice a thread. */
    CpuMatrix load(List<TensorData> parts) throws IOException {
        long outputs = parts.stream().mapToLong(TensorData::rowCount).sum();
        List<List<TensorData>> slices = new ArrayList<>();
        int step = CpuMatrix.sliceOutputs(Math.toIntExact(outputs), threads);
        for (long first = 0; first < outputs; first += step) {
            slices.add(cut(parts, first, Math.min(outputs, first + step)));
        }
        return loadSlices(slices);
    }

    private static List<TensorData> cut(List<TensorData> parts, long first, long end) {
        List<TensorData> cut = new ArrayList<>();
        long start = 0;
        for (TensorData part : parts) {
            long from = Math.max(first, start) - start;
            long until = Math.min(end, start + part.rowCount()) - start;
            if (from < until) cut.add(part.slice(from, until));
            start += part.rowCount();
        }
        return cut;
    }

    private CpuMatrix loadSlices(List<List<TensorData>> slices) throws IOException {
        int inputs = Math.toIntExact(slices.get(0).get(0).rowLength());
        CpuMatrix matrix = new CpuMatrix(inputs, products);
        for (List<TensorData> slice : slices) {
            int outputs = (int) slice.stream().mapToLong(TensorData::rowCount).sum();
            dnnl_memory_desc layout = products.weightsLayout(inputs, outputs);
            BytePointer weights = OneDnn.allocate(dnnl.dnnl_memory_desc_get_size(layout));
            reorder(rows(slice, outputs, inputs), inputs, outputs, weights, layout);
            matrix.add(outputs, weights, layout);
        }
        return matrix;
    }

    /** Rows as they lie in the checkpoint, row-major. */
    private record Rows(BytePointer memory, DType type) {}

    private static Rows rows(List<TensorData> parts, int count, int inputs) throws IOException {
        boolean mixed = parts.stream().map(TensorData::type).distinct().count() > 1;
        DType type = mixed || parts.get(0).type() == DType.F16 ? DType.F32 : parts.get(0).type();
        long bytes = (long) count * inputs * type.bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new IOException(
                    "%s and its like are too large: %d bytes in a thread's share, 2 GiB fit"
                            .formatted(parts.get(0).name(), bytes));
        }
        BytePointer memory = OneDnn.allocate(bytes);
        ByteBuffer to = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (TensorData part : parts) copy(part.rows(0, part.rowCount()), part.type(), to, type);
        return new Rows(memory, type);
    }

    private static void copy(ByteBuffer from, DType fromType, ByteBuffer to, DType toType) {
        if (fromType == toType) {
            to.put(from);
            return;
        }
        while (from.hasRemaining()) {
            short half = from.getShort();
            to.putFloat(fromType == DType.F16 ? Half.toFloat(half) : Bf16.toFloat(half));
        }
    }

    private static void reorder(
            Rows rows, int inputs, int outputs, BytePointer weights, dnnl_memory_desc layout) {
        // W is stored [outputs, inputs]; the product wants [inputs, outputs]: the same bytes, read
        // with other strides.
        dnnl_memory_desc stored = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_strides(
                        stored,
                        2,
                        new long[] {inputs, outputs},
                        MatrixProducts.dnnlType(rows.type),
                        new long[] {1, inputs}),
                "dnnl_memory_desc_create_with_strides");
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_reorder_primitive_desc_create(
                        description, stored, OneDnn.engine(), layout, OneDnn.engine(), null),
                "dnnl_reorder_primitive_desc_create");
        dnnl_primitive primitive = new dnnl_primitive();
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl_memory from = new dnnl_memory();
        dnnl_memory to = new dnnl_memory();
        OneDnn.check(
                dnnl.dnnl_memory_create(from, stored, OneDnn.engine(), rows.memory),
                "dnnl_memory_create");
        OneDnn.check(
                dnnl.dnnl_memory_create(to, layout, OneDnn.engine(), weights),
                "dnnl_memory_create");
        dnnl_stream stream = new dnnl_stream();
        OneDnn.check(
                dnnl.dnnl_stream_create(stream, OneDnn.engine(), dnnl.dnnl_stream_default_flags),
                "dnnl_stream_create");
        try (dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(2)) {
            arguments.position(0).arg(dnnl.DNNL_ARG_FROM).memory(from);
            arguments.position(1).arg(dnnl.DNNL_ARG_TO).memory(to);
            arguments.position(0);
            OneDnn.check(
                    dnnl.dnnl_primitive_execute(primitive, stream, 2, arguments),
                    "dnnl_primitive_execute");
        }
        dnnl.dnnl_stream_wait(stream);
        dnnl.dnnl_stream_destroy(stream);
        dnnl.dnnl_memory_destroy(from);
        dnnl.dnnl_memory_destroy(to);
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_memory_desc_destroy(stored);
        rows.memory.deallocate();
    }
}
