package org.tokenrate.device.cpu;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;

/**
 * oneDNN's copy from one layout and type to another; any number of threads may run it at a time.
 */
final class Reorder implements AutoCloseable {
    private final dnnl_memory_desc stored;
    private final dnnl_memory_desc placed;
    private final dnnl_primitive primitive = new dnnl_primitive();

    /** Takes both descriptions over. */
    Reorder(dnnl_memory_desc stored, dnnl_memory_desc placed) {
        this.stored = stored;
        this.placed = placed;
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_reorder_primitive_desc_create(
                        description, stored, OneDnn.engine(), placed, OneDnn.engine(), null),
                "dnnl_reorder_primitive_desc_create");
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl.dnnl_primitive_desc_destroy(description);
    }

    /** Rows of {@code inputs} elements, {@code stride} elements apart, as weights' columns. */
    static dnnl_memory_desc rows(int dnnlType, int inputs, int count, int stride) {
        // W is stored [outputs, inputs]; the product wants [inputs, outputs]: the same bytes, read
        // with other strides.
        dnnl_memory_desc rows = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_strides(
                        rows, 2, new long[] {inputs, count}, dnnlType, new long[] {1, stride}),
                "dnnl_memory_desc_create_with_strides");
        return rows;
    }

    void run(BytePointer from, BytePointer to) {
        dnnl_memory source = OneDnn.memory(stored, from);
        dnnl_memory result = OneDnn.memory(placed, to);
        dnnl_stream stream = OneDnn.stream();
        try (dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(2)) {
            arguments.position(0).arg(dnnl.DNNL_ARG_FROM).memory(source);
            arguments.position(1).arg(dnnl.DNNL_ARG_TO).memory(result);
            arguments.position(0);
            OneDnn.check(
                    dnnl.dnnl_primitive_execute(primitive, stream, 2, arguments),
                    "dnnl_primitive_execute");
        }
        dnnl.dnnl_stream_wait(stream);
        dnnl.dnnl_stream_destroy(stream);
        dnnl.dnnl_memory_destroy(source);
        dnnl.dnnl_memory_destroy(result);
    }

    @Override
    public void close() {
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_memory_desc_destroy(stored);
        dnnl.dnnl_memory_desc_destroy(placed);
    }
}
