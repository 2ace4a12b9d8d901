package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.tokenrate.checkpoint.DType;

/**
 * oneDNN's matmul primitives, made once for each shape: they are costly to make (milliseconds) and
 * cheap to run. Rows are rounded up to a bucket so that few shapes occur.
 */
final class MatrixProducts implements AutoCloseable {
    /** oneDNN converts weights on the way only for whole vectors of outputs. */
    private static final int CONVERTED_OUTPUTS = 8;

    /**
     * Of more inputs than these, oneDNN 3.11's products that convert weights on the way come out
     * wrong (with AVX2): it looks for those behind them in the wrong place.
     */
    private static final int MOST_CONVERTED_INPUTS = 1024;

    /** Inputs of a span, but for the last: whole blocks of every layout. */
    private static final int SPAN_UNIT = 64;

    /** The number of rows for which the layout of the weights is chosen. */
    private static final int LAYOUT_ROWS = 64;

    /**
     * @param slice which slice of a matrix: slices run at the same time, each with a scratchpad of
     *     its own
     * @param inputs of the span
     * @param inputStride inputs of the whole matrix, which a row of the source has
     * @param stride columns of the whole result, of which a slice writes some
     * @param onTop whether what the result held is added to the sums, before what comes after
     * @param bias whether a vector is added to the sums, before what comes after
     */
    record Shape(
            int slice,
            int rows,
            int inputs,
            int inputStride,
            int outputs,
            int stride,
            DType resultType,
            boolean onTop,
            After after,
            boolean bias) {}

    /** What a product does with its sums before it stores them. */
    enum After {
        NOTHING,
        /** Adds what the result held. */
        ADD,
        /** {@code s / (1 + e^-s)}. */
        SILU,
        /** Multiplies with another f32 tensor of the result's shape. */
        MULTIPLY
    }

    /** A primitive with the memory it works in. */
    record Product(
            dnnl_primitive primitive,
            dnnl_memory_desc source,
            dnnl_memory_desc result,
            dnnl_memory scratchpad) {}

    private final DType inputType;
    private final DType weightType;
    private final Map<Shape, Product> products = new HashMap<>();
    private final Map<Integer, BytePointer> scratchpads = new HashMap<>();

    /**
     * @param inputs f32 or bf16
     * @param weights of the same type, or bf16 with inputs of f32: oneDNN then converts weights in
     *     its registers
     */
    MatrixProducts(DType inputs, DType weights) {
        inputType = inputs;
        weightType = weights;
    }

    static int dnnlType(DType type) {
        return switch (type) {
            case F32 -> dnnl.dnnl_f32;
            case BF16 -> dnnl.dnnl_bf16;
            case F16 -> dnnl.dnnl_f16;
            case I32 -> dnnl.dnnl_s32;
        };
    }

    /** The next number of rows that a primitive is made for: steps of at most an eighth. */
    static int bucket(int rows) {
        if (rows <= 16) return rows;
        int step = Integer.highestOneBit(rows - 1) / 8;
        step = Math.max(step, 4);
        return (rows + step - 1) / step * step;
    }

    /**
     * How a matrix is cut by its outputs: a slice a thread, and one more for what is left over
     * where weights are converted. Its fewer than 8 outputs are f32.
     *
     * @return the outputs of each slice
     */
    List<Integer> slices(int outputs, int threads) {
        int step = SlicedMatrix.sliceOutputs(outputs, threads);
        List<Integer> slices = new ArrayList<>();
        for (int first = 0; first < outputs; first += step) {
            int count = Math.min(step, outputs - first);
            int rest = converts() ? count % CONVERTED_OUTPUTS : 0;
            if (count > rest) slices.add(count - rest);
            if (rest > 0) slices.add(rest);
        }
        return slices;
    }

    private boolean converts() {
        return inputType != weightType;
    }

    /** The element type of a slice's weights. */
    DType weightsType(int outputs) {
        return outputs < CONVERTED_OUTPUTS ? inputType : weightType;
    }

    /** Whether weights of that type hold numbers of bf16 all the same. */
    boolean rounds(DType type) {
        return converts() && type == inputType;
    }

    /**
     * How a slice is cut by its inputs.
     *
     * @return the inputs of each span
     */
    List<Integer> spans(int inputs, int outputs) {
        if (weightsType(outputs) == inputType) return List.of(inputs);
        int count = (inputs + MOST_CONVERTED_INPUTS - 1) / MOST_CONVERTED_INPUTS;
        int share = (inputs + count - 1) / count;
        int step = (share + SPAN_UNIT - 1) / SPAN_UNIT * SPAN_UNIT;
        List<Integer> spans = new ArrayList<>();
        for (int first = 0; first < inputs; first += step) {
            spans.add(Math.min(step, inputs - first));
        }
        return spans;
    }

    /** The layout that products want a span's weights of {@code [inputs, outputs]} in. */
    dnnl_memory_desc weightsLayout(int inputs, int outputs) {
        dnnl_memory_desc any = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        any,
                        2,
                        new long[] {inputs, outputs},
                        dnnlType(weightsType(outputs)),
                        dnnl.dnnl_format_tag_any),
                "dnnl_memory_desc_create_with_tag");
        Shape shape =
                new Shape(
                        0,
                        LAYOUT_ROWS,
                        inputs,
                        inputs,
                        outputs,
                        outputs,
                        DType.F32,
                        false,
                        After.NOTHING,
                        false);
        dnnl_primitive_desc description = description(shape, source(shape), any, result(shape));
        dnnl_memory_desc layout = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_clone(
                        layout,
                        dnnl.dnnl_primitive_desc_query_md(
                                description, dnnl.dnnl_query_weights_md, 0)),
                "dnnl_memory_desc_clone");
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_memory_desc_destroy(any);
        return layout;
    }

    /** The product for a shape, made if it is the first of its kind. */
    Product product(Shape shape, dnnl_memory_desc weights) {
        return products.computeIfAbsent(shape, s -> make(s, weights));
    }

    private Product make(Shape shape, dnnl_memory_desc weights) {
        dnnl_memory_desc source = source(shape);
        dnnl_memory_desc result = result(shape);
        dnnl_primitive_desc description = description(shape, source, weights, result);
        dnnl_primitive primitive = new dnnl_primitive();
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl_memory_desc scratch =
                dnnl.dnnl_primitive_desc_query_md(description, dnnl.dnnl_query_scratchpad_md, 0);
        dnnl_memory scratchpad =
                OneDnn.memory(
                        scratch,
                        scratchpad(products.size(), dnnl.dnnl_memory_desc_get_size(scratch)));
        dnnl.dnnl_primitive_desc_destroy(description);
        return new Product(primitive, source, result, scratchpad);
    }

    private BytePointer scratchpad(int product, long bytes) {
        BytePointer memory = OneDnn.allocate(Math.max(bytes, 64));
        scratchpads.put(product, memory);
        return memory;
    }

    private dnnl_primitive_desc description(
            Shape shape,
            dnnl_memory_desc source,
            dnnl_memory_desc weights,
            dnnl_memory_desc result) {
        dnnl_primitive_attr attributes = OneDnn.attributes();
        if (shape.onTop || shape.after != After.NOTHING) append(shape, attributes);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        dnnl_memory_desc bias = bias(shape.outputs);
        OneDnn.check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        source,
                        weights,
                        shape.bias ? bias : null,
                        result,
                        attributes),
                "dnnl_matmul_primitive_desc_create for " + shape);
        dnnl.dnnl_memory_desc_destroy(bias);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        refuseReference(description, shape);
        return description;
    }

    private static void append(Shape shape, dnnl_primitive_attr attributes) {
        dnnl_post_ops after = new dnnl_post_ops();
        OneDnn.check(dnnl.dnnl_post_ops_create(after), "dnnl_post_ops_create");
        if (shape.onTop) {
            OneDnn.check(
                    dnnl.dnnl_post_ops_append_sum(after, 1f, 0, dnnl.dnnl_f32),
                    "dnnl_post_ops_append_sum");
        }
        switch (shape.after) {
            case NOTHING, ADD -> {}
            case SILU ->
                    OneDnn.check(
                            dnnl.dnnl_post_ops_append_eltwise(
                                    after, dnnl.dnnl_eltwise_swish, 1f, 0f),
                            "dnnl_post_ops_append_eltwise");
            case MULTIPLY -> {
                dnnl_memory_desc other = factor(shape);
                OneDnn.check(
                        dnnl.dnnl_post_ops_append_binary(after, dnnl.dnnl_binary_mul, other),
                        "dnnl_post_ops_append_binary");
                dnnl.dnnl_memory_desc_destroy(other);
            }
        }
        OneDnn.check(
                dnnl.dnnl_primitive_attr_set_post_ops(attributes, after),
                "dnnl_primitive_attr_set_post_ops");
        dnnl.dnnl_post_ops_destroy(after);
    }

    /** The other tensor of {@link After#MULTIPLY}. */
    static dnnl_memory_desc factor(Shape s) {
        return OneDnn.strided(s.rows, s.outputs, dnnl.dnnl_f32, s.stride);
    }

    /** The name of that tensor among a product's arguments: it counts the operations before. */
    static int factorArgument(Shape s) {
        int operation = s.onTop ? 2 : 1;
        return dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * operation | dnnl.DNNL_ARG_SRC_1;
    }

    /** A bias: f32, whatever the type of the weights. */
    static dnnl_memory_desc bias(int outputs) {
        return OneDnn.strided(1, outputs, dnnl.dnnl_f32, outputs);
    }

    /** The reference code takes minutes a call: better no answer than that. */
    static void refuseReference(dnnl_primitive_desc description, Record shape) {
        try (PointerPointer<BytePointer> name = new PointerPointer<>(1)) {
            OneDnn.check(
                    dnnl.dnnl_primitive_desc_query(
                            description, dnnl.dnnl_query_impl_info_str, 0, name),
                    "dnnl_primitive_desc_query");
            String implementation = name.get(BytePointer.class, 0).getString();
            if (implementation.startsWith("ref")) {
                throw new IllegalStateException(
                        "oneDNN has no fast product for "
                                + shape
                                + " on this CPU, only "
                                + implementation
                                + "; try dtype=f32");
            }
        }
    }

    private dnnl_memory_desc source(Shape s) {
        return OneDnn.strided(s.rows, s.inputs, dnnlType(inputType), s.inputStride);
    }

    private static dnnl_memory_desc result(Shape s) {
        return OneDnn.strided(s.rows, s.outputs, dnnlType(s.resultType), s.stride);
    }

    @Override
    public void close() {
        for (Product p : products.values()) {
            dnnl.dnnl_primitive_destroy(p.primitive);
            dnnl.dnnl_memory_destroy(p.scratchpad);
            dnnl.dnnl_memory_desc_destroy(p.source);
            dnnl.dnnl_memory_desc_destroy(p.result);
        }
        products.clear();
        scratchpads.values().forEach(BytePointer::deallocate);
        scratchpads.clear();
    }
}
