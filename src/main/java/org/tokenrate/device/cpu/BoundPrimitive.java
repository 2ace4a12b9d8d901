package org.tokenrate.device.cpu;

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

/** A primitive of oneDNN whose arguments lie at fixed places: one native call runs it. */
final class BoundPrimitive implements AutoCloseable {
    private static final int MOST_ARGUMENTS = 4;

    private final dnnl_primitive primitive = new dnnl_primitive();
    private final dnnl_stream stream = OneDnn.stream();
    private final dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(MOST_ARGUMENTS);
    private final List<dnnl_memory> bound = new ArrayList<>();
    private final BytePointer scratch;

    /**
     * @param description is taken over
     * @param shape for the message if oneDNN has nothing but its reference code
     */
    BoundPrimitive(dnnl_primitive_desc description, Record shape) {
        MatrixProducts.refuseReference(description, shape);
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl_memory_desc pad =
                dnnl.dnnl_primitive_desc_query_md(description, dnnl.dnnl_query_scratchpad_md, 0);
        scratch = OneDnn.allocate(Math.max(64, dnnl.dnnl_memory_desc_get_size(pad)));
        bind(dnnl.DNNL_ARG_SCRATCHPAD, OneDnn.memory(pad, scratch));
        dnnl.dnnl_primitive_desc_destroy(description);
    }

    /**
     * Says where an argument lies.
     *
     * @param layout is taken over
     * @param at stays where it is, and is freed by whoever made it
     */
    BoundPrimitive with(int argument, dnnl_memory_desc layout, BytePointer at) {
        bind(argument, OneDnn.memory(layout, at));
        dnnl.dnnl_memory_desc_destroy(layout);
        return this;
    }

    private void bind(int argument, dnnl_memory memory) {
        arguments.position(bound.size()).arg(argument).memory(memory);
        arguments.position(0);
        bound.add(memory);
    }

    void run() {
        OneDnn.check(
                dnnl.dnnl_primitive_execute(primitive, stream, bound.size(), arguments),
                "dnnl_primitive_execute");
    }

    @Override
    public void close() {
        bound.forEach(dnnl::dnnl_memory_destroy);
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_stream_destroy(stream);
        arguments.deallocate();
        scratch.deallocate();
    }
}
