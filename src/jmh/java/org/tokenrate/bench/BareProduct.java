package org.tokenrate.bench;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.nio.ByteOrder;
import java.util.List;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.CpuDevice;

/**
 * oneDNN's matmul primitive and nothing else: y = x W with W in the layout that oneDNN wants for
 * this very shape, and OpenMP's threads. What it reaches is what the engine's products are measured
 * by. Input and weights are all ones: to a processor's multipliers that is as good as any number.
 */
final class BareProduct implements AutoCloseable {
    private static final short ONE_BF16 = 0x3f80;

    private final dnnl_primitive primitive = new dnnl_primitive();
    private final dnnl_stream stream = new dnnl_stream();
    private final dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(3);
    private final BytePointer[] buffers = new BytePointer[3];
    private final dnnl_memory[] memories = new dnnl_memory[3];
    private final long weightBytes;

    /** oneDNN's engine; one a process, made with the first product. */
    private static final class Engine {
        static final dnnl_engine CPU = new dnnl_engine();

        static {
            check(dnnl.dnnl_engine_create(CPU, dnnl.dnnl_cpu, 0), "dnnl_engine_create");
        }
    }

    /**
     * Loads oneDNN with so many threads. In a process where the CPU device has loaded it before, it
     * has one.
     */
    static void load(int threads) {
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        if (!Platform.isWindows()) { // where OpenMP takes all cores
            NativeLibrary.getInstance("c")
                    .getFunction("setenv")
                    .invokeInt(new Object[] {"OMP_NUM_THREADS", String.valueOf(threads), 1});
        }
        Loader.load(dnnl.class);
    }

    /** oneDNN's element types of inputs and weights; results are f32. */
    record Types(int inputs, int weights) {}

    /**
     * The element types that the CPU engine takes for {@code dtype}; after {@link #load}, since the
     * engine would load oneDNN with one thread.
     *
     * @throws IllegalArgumentException if it is none of the CPU's
     */
    static Types types(String dtype) {
        PartBenchmark.requireOneOf("dtype", dtype, List.of("auto", "f32", "bf16"));
        DType weights =
                switch (dtype) {
                    case "auto" -> CpuDevice.preferredType();
                    case "bf16" -> DType.BF16;
                    default -> DType.F32;
                };
        return new Types(type(CpuDevice.inputType(weights)), type(weights));
    }

    private static int type(DType type) {
        return type == DType.BF16 ? dnnl.dnnl_bf16 : dnnl.dnnl_f32;
    }

    BareProduct(Types types, int rows, int inputs, int outputs) {
        dnnl_memory_desc x = layout(rows, inputs, types.inputs, dnnl.dnnl_ab);
        dnnl_memory_desc any = layout(inputs, outputs, types.weights, dnnl.dnnl_format_tag_any);
        dnnl_memory_desc y = layout(rows, outputs, dnnl.dnnl_f32, dnnl.dnnl_ab);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description, Engine.CPU, x, any, null, y, (dnnl_primitive_attr) null),
                "dnnl_matmul_primitive_desc_create for %d x %d x %d"
                        .formatted(rows, inputs, outputs));
        check(dnnl.dnnl_primitive_create(primitive, description), "dnnl_primitive_create");
        dnnl_memory_desc weights =
                dnnl.dnnl_primitive_desc_query_md(description, dnnl.dnnl_query_weights_md, 0);
        int size = types.weights == dnnl.dnnl_bf16 ? Short.BYTES : Float.BYTES;
        weightBytes = (long) size * inputs * outputs;
        bind(0, dnnl.DNNL_ARG_SRC, x, types.inputs);
        bind(1, dnnl.DNNL_ARG_WEIGHTS, weights, types.weights);
        bind(2, dnnl.DNNL_ARG_DST, y, dnnl.dnnl_f32);
        arguments.position(0);
        check(
                dnnl.dnnl_stream_create(stream, Engine.CPU, dnnl.dnnl_stream_default_flags),
                "dnnl_stream_create");
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_memory_desc_destroy(x);
        dnnl.dnnl_memory_desc_destroy(any);
        dnnl.dnnl_memory_desc_destroy(y);
    }

    private static dnnl_memory_desc layout(int rows, int columns, int type, int tag) {
        dnnl_memory_desc layout = new dnnl_memory_desc();
        check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        layout, 2, new long[] {rows, columns}, type, tag),
                "dnnl_memory_desc_create_with_tag");
        return layout;
    }

    private void bind(int i, int name, dnnl_memory_desc layout, int type) {
        long bytes = dnnl.dnnl_memory_desc_get_size(layout);
        BytePointer buffer = new BytePointer(bytes + 64);
        buffers[i] = buffer;
        buffer.position((64 - buffer.address() % 64) % 64); // a cache line
        buffer.limit(buffer.position() + bytes);
        fill(buffer, bytes, type);
        memories[i] = new dnnl_memory();
        check(
                dnnl.dnnl_memory_create(memories[i], layout, Engine.CPU, buffer),
                "dnnl_memory_create");
        arguments.position(i).arg(name).memory(memories[i]);
    }

    /** Ones; written, since memory that is only read may be one page over and over. */
    private static void fill(BytePointer buffer, long bytes, int type) {
        int one =
                type == dnnl.dnnl_bf16
                        ? ONE_BF16 << Short.SIZE | ONE_BF16
                        : Float.floatToRawIntBits(1f);
        byte[] pattern = new byte[1 << 16];
        for (int i = 0; i < pattern.length; i++) {
            pattern[i] = (byte) (one >>> Byte.SIZE * (i % Integer.BYTES));
        }
        try (BytePointer ones = new BytePointer(pattern)) {
            for (long at = 0; at < bytes; at += pattern.length) {
                Pointer.memcpy(buffer.getPointer(at), ones, Math.min(pattern.length, bytes - at));
            }
        }
    }

    /** Bytes of the weights, without what a layout fills up. */
    long weightBytes() {
        return weightBytes;
    }

    void run() {
        check(
                dnnl.dnnl_primitive_execute(primitive, stream, 3, arguments),
                "dnnl_primitive_execute");
    }

    /** An element of the first row of the result: the sum of as many ones as there are inputs. */
    float result() {
        return buffers[2].asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer().get(0);
    }

    @Override
    public void close() {
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_stream_destroy(stream);
        for (dnnl_memory m : memories) dnnl.dnnl_memory_destroy(m);
        for (BytePointer b : buffers) b.deallocate();
        arguments.deallocate();
    }

    private static void check(int status, String call) {
        if (status == dnnl.dnnl_success) return;
        throw new IllegalStateException(
                "oneDNN's %s failed with status %d".formatted(call, status));
    }
}
