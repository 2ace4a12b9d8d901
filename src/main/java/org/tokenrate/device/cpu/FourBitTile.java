package org.tokenrate.device.cpu;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
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
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.MatrixProducts.After;

/**
 * Room for some outputs of a 4-bit matrix in the layout of oneDNN's dense weights, few enough to
 * stay in the core's second cache: they are unpacked once and multiplied with all rows. One for
 * each number of inputs and each slice, whatever the matrix.
 */
final class FourBitTile {
    /** Half of a second cache of 1 MiB; the rest is for the rows. */
    private static final int TILE_BYTES = 1 << 19;

    private static final int MOST_PANELS = 4;
    private static final int ARGUMENTS = 5;

    /** Where a tile's product comes from and goes to; the outputs are those of the tile. */
    private record Call(
            int rows, int outputs, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {}

    /** A primitive with its arguments, of which those that move from tile to tile are named. */
    private record Run(
            dnnl_primitive primitive,
            dnnl_exec_arg_t arguments,
            int argumentCount,
            dnnl_memory result,
            dnnl_memory factor) {}

    private final int slice;
    private final int inputs;
    private final int panels;
    private final DType dtype;
    private final MatrixProducts products;
    private final BytePointer memory;
    private final IntBuffer ints;
    private final FloatBuffer floats;
    private final dnnl_stream stream = new dnnl_stream();
    private final Map<Integer, dnnl_memory_desc> layouts = new HashMap<>();
    private final Map<Call, Run> runs = new HashMap<>();
    private final List<dnnl_memory> bound = new ArrayList<>();

    /**
     * @param products of tiles only: they have a layout of their own
     */
    FourBitTile(int slice, int inputs, DType dtype, MatrixProducts products) {
        this.slice = slice;
        this.inputs = inputs;
        this.dtype = dtype;
        this.products = products;
        long panelBytes = (long) inputs * FourBitWeights.PANEL * dtype.bytes();
        panels =
                dtype == DType.F32
                        ? 1
                        : (int) Math.max(1, Math.min(MOST_PANELS, TILE_BYTES / panelBytes));
        memory = OneDnn.allocate(panels * panelBytes);
        var buffer = memory.asByteBuffer().order(ByteOrder.nativeOrder());
        ints = buffer.asIntBuffer();
        floats = buffer.asFloatBuffer();
        OneDnn.check(
                dnnl.dnnl_stream_create(stream, OneDnn.engine(), dnnl.dnnl_stream_default_flags),
                "dnnl_stream_create");
    }

    /** Panels that fit at a time. */
    int panels() {
        return panels;
    }

    /** Unpacks a panel of weights into the tile's panel {@code at}. */
    void unpack(FourBitWeights weights, int panel, int at, FourBitScratch scratch) {
        int groups = inputs / weights.groupSize();
        int count = weights.groupSize() * FourBitWeights.PANEL;
        int start = at * inputs * FourBitWeights.PANEL;
        for (int g = 0; g < groups; g++) {
            if (dtype == DType.F32) {
                float[] unpacked = scratch.floats(count);
                FourBitKernel.expandToF32(weights, panel, g, scratch.s, scratch.c, unpacked);
                floats.put(start + g * count, unpacked, 0, count);
            } else {
                int[] unpacked = scratch.ints(count / 2);
                FourBitKernel.expandToBf16(weights, panel, g, scratch.s, scratch.c, unpacked);
                ints.put((start + g * count) / 2, unpacked, 0, count / 2);
            }
        }
    }

    /** Makes the product that {@link #multiply} will run, if it is the first of its kind. */
    void prepare(int rows, int outputs, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {
        runs.computeIfAbsent(new Call(rows, outputs, x, y, after, factor), this::bind);
    }

    /** Multiplies rows with the first {@code outputs} of the tile. */
    void multiply(
            int rows,
            int outputs,
            CpuTensor x,
            CpuTensor y,
            After after,
            CpuTensor factor,
            int firstOutput) {
        Run run = runs.get(new Call(rows, outputs, x, y, after, factor));
        moveTo(run.result, y, firstOutput);
        if (after == After.MULTIPLY) moveTo(run.factor, factor, firstOutput);
        OneDnn.check(
                dnnl.dnnl_primitive_execute(
                        run.primitive, stream, run.argumentCount, run.arguments),
                "dnnl_primitive_execute");
    }

    private static void moveTo(dnnl_memory memory, CpuTensor tensor, int column) {
        OneDnn.check(
                dnnl.dnnl_memory_set_data_handle(memory, columns(tensor, column)),
                "dnnl_memory_set_data_handle");
    }

    private static BytePointer columns(CpuTensor tensor, int column) {
        return tensor.memory().getPointer((long) column * tensor.type().bytes());
    }

    private Run bind(Call call) {
        var shape =
                new MatrixProducts.Shape(
                        slice,
                        call.rows,
                        inputs,
                        call.outputs,
                        call.y.columns(),
                        call.y.type(),
                        call.after,
                        false);
        dnnl_memory_desc layout = layouts.computeIfAbsent(call.outputs, this::layout);
        MatrixProducts.Product product = products.product(shape, layout);
        dnnl_memory result = memoryAt(product.result(), columns(call.y, 0));
        dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(ARGUMENTS);
        set(arguments, 0, dnnl.DNNL_ARG_SRC, memoryAt(product.source(), call.x.memory()));
        set(arguments, 1, dnnl.DNNL_ARG_WEIGHTS, memoryAt(layout, memory));
        set(arguments, 2, dnnl.DNNL_ARG_DST, result);
        set(arguments, 3, dnnl.DNNL_ARG_SCRATCHPAD, product.scratchpad());
        int argumentCount = ARGUMENTS - 1;
        dnnl_memory factor = result;
        if (call.after == After.MULTIPLY) {
            dnnl_memory_desc description = MatrixProducts.factor(shape);
            factor = memoryAt(description, columns(call.factor, 0));
            dnnl.dnnl_memory_desc_destroy(description);
            set(
                    arguments,
                    argumentCount++,
                    dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | dnnl.DNNL_ARG_SRC_1,
                    factor);
        }
        arguments.position(0);
        return new Run(product.primitive(), arguments, argumentCount, result, factor);
    }

    /** In f32 plain rows; in bf16 blocks of 64 outputs, in which two inputs share an int. */
    private dnnl_memory_desc layout(int outputs) {
        dnnl_memory_desc layout = new dnnl_memory_desc();
        long[] shape = {inputs, outputs};
        if (dtype == DType.F32) {
            OneDnn.check(
                    dnnl.dnnl_memory_desc_create_with_strides(
                            layout, 2, shape, dnnl.dnnl_f32, new long[] {FourBitWeights.PANEL, 1}),
                    "dnnl_memory_desc_create_with_strides");
        } else {
            OneDnn.check(
                    dnnl.dnnl_memory_desc_create_with_tag(
                            layout, 2, shape, dnnl.dnnl_bf16, dnnl.dnnl_BA16a64b2a),
                    "dnnl_memory_desc_create_with_tag");
        }
        return layout;
    }

    private static void set(dnnl_exec_arg_t arguments, int i, int name, dnnl_memory memory) {
        arguments.position(i).arg(name).memory(memory);
    }

    private dnnl_memory memoryAt(dnnl_memory_desc description, BytePointer address) {
        dnnl_memory m = new dnnl_memory();
        OneDnn.check(
                dnnl.dnnl_memory_create(m, description, OneDnn.engine(), address),
                "dnnl_memory_create");
        bound.add(m);
        return m;
    }

    void free() {
        bound.forEach(dnnl::dnnl_memory_destroy);
        runs.values().forEach(r -> r.arguments.deallocate());
        layouts.values().forEach(dnnl::dnnl_memory_desc_destroy);
        dnnl.dnnl_stream_destroy(stream);
        memory.deallocate();
    }
}
