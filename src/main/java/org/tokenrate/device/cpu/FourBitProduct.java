package org.tokenrate.device.cpu;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;

/** oneDNN's product of rows with one tile: {@code y = (x W) s} or {@code y += (x W) s}. */
final class FourBitProduct {
    private static final int ARGUMENTS = 5;

    /** The dimensions of the weights along which scales differ: the second. */
    private static final int A_SCALE_FOR_EACH_OUTPUT = 1 << 1;

    /**
     * @param inputs of the group
     * @param stride inputs of the whole matrix, which a row of x has
     * @param outputs a multiple of 64
     * @param accumulate whether to add to what the result held
     */
    record Shape(int rows, int inputs, int stride, int outputs, DType dtype, boolean accumulate) {}

    private final dnnl_primitive primitive = new dnnl_primitive();
    private final dnnl_memory source;
    private final dnnl_memory weights;
    private final dnnl_memory result;
    private final dnnl_memory scales;
    private final dnnl_memory scratchpad;
    private final BytePointer scratch;
    private final dnnl_stream stream = OneDnn.stream();
    private final dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(ARGUMENTS);

    /**
     * @param weightsAt {@code [inputs, outputs]}: in f32 panel by panel of 64 outputs, in bf16 the
     *     same with pairs of inputs side by side
     * @param scalesAt a scale for each output, f32
     */
    FourBitProduct(Shape shape, BytePointer weightsAt, BytePointer scalesAt) {
        int type = MatrixProducts.dnnlType(shape.dtype);
        dnnl_memory_desc x = OneDnn.strided(shape.rows, shape.inputs, type, shape.stride);
        dnnl_memory_desc y =
                OneDnn.strided(shape.rows, shape.outputs, dnnl.dnnl_f32, shape.outputs);
        dnnl_memory_desc s = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_strides(
                        s, 1, new long[] {shape.outputs}, dnnl.dnnl_f32, new long[] {1}),
                "dnnl_memory_desc_create_with_strides");
        dnnl_memory_desc w = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        w,
                        2,
                        new long[] {shape.inputs, shape.outputs},
                        type,
                        type == dnnl.dnnl_f32 ? dnnl.dnnl_BA16a64b : dnnl.dnnl_BA16a64b2a),
                "dnnl_memory_desc_create_with_tag");
        dnnl_primitive_attr attributes = attributes(shape.accumulate);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description, OneDnn.engine(), x, w, null, y, attributes),
                "dnnl_matmul_primitive_desc_create for " + shape);
        MatrixProducts.refuseReference(description, shape);
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl_memory_desc pad =
                dnnl.dnnl_primitive_desc_query_md(description, dnnl.dnnl_query_scratchpad_md, 0);
        scratch = OneDnn.allocate(Math.max(64, dnnl.dnnl_memory_desc_get_size(pad)));
        scratchpad = OneDnn.memory(pad, scratch);
        source = OneDnn.memory(x, scratch); // where x and y are is said call by call
        result = OneDnn.memory(y, scratch);
        weights = OneDnn.memory(w, weightsAt);
        scales = OneDnn.memory(s, scalesAt);
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        for (dnnl_memory_desc d : new dnnl_memory_desc[] {x, y, s, w}) {
            dnnl.dnnl_memory_desc_destroy(d);
        }
        arguments.position(0).arg(dnnl.DNNL_ARG_SRC).memory(source);
        arguments.position(1).arg(dnnl.DNNL_ARG_WEIGHTS).memory(weights);
        arguments.position(2).arg(dnnl.DNNL_ARG_DST).memory(result);
        arguments.position(3).arg(dnnl.DNNL_ARG_SCRATCHPAD).memory(scratchpad);
        arguments.position(4).arg(dnnl.DNNL_ARG_ATTR_SCALES | dnnl.DNNL_ARG_WEIGHTS).memory(scales);
        arguments.position(0);
    }

    private static dnnl_primitive_attr attributes(boolean accumulate) {
        dnnl_primitive_attr attributes = OneDnn.attributes();
        // A binary post-op could scale as well, but makes the product a third slower.
        OneDnn.check(
                dnnl.dnnl_primitive_attr_set_scales_mask(
                        attributes, dnnl.DNNL_ARG_WEIGHTS, A_SCALE_FOR_EACH_OUTPUT),
                "dnnl_primitive_attr_set_scales_mask");
        if (accumulate) {
            dnnl_post_ops after = new dnnl_post_ops();
            OneDnn.check(dnnl.dnnl_post_ops_create(after), "dnnl_post_ops_create");
            OneDnn.check(
                    dnnl.dnnl_post_ops_append_sum(after, 1f, 0, dnnl.dnnl_f32),
                    "dnnl_post_ops_append_sum");
            OneDnn.check(
                    dnnl.dnnl_primitive_attr_set_post_ops(attributes, after),
                    "dnnl_primitive_attr_set_post_ops");
            dnnl.dnnl_post_ops_destroy(after);
        }
        return attributes;
    }

    void run(BytePointer x, BytePointer y) {
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(source, x), "dnnl_memory_set_data_handle");
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(result, y), "dnnl_memory_set_data_handle");
        OneDnn.check(
                dnnl.dnnl_primitive_execute(primitive, stream, ARGUMENTS, arguments),
                "dnnl_primitive_execute");
    }

    void free() {
        for (dnnl_memory m : new dnnl_memory[] {source, weights, result, scales, scratchpad}) {
            dnnl.dnnl_memory_destroy(m);
        }
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_stream_destroy(stream);
        arguments.deallocate();
        scratch.deallocate();
    }
}
