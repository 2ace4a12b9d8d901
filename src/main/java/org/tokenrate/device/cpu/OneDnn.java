package org.tokenrate.device.cpu;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** oneDNN, loaded once a process and kept to one thread a call: {@link Team} owns the cores. */
final class OneDnn {
    /** Products and vector loads are fastest on cache-line boundaries. */
    private static final int ALIGNMENT = 64;

    private static final dnnl_engine ENGINE = load();

    private OneDnn() {}

    private static dnnl_engine load() {
        // JavaCPP otherwise refuses native memory beyond the size of the Java heap.
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        setEnvironment("OMP_NUM_THREADS", "1");
        try {
            Loader.load(dnnl.class);
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "oneDNN does not load on this platform ("
                            + Loader.getPlatform()
                            + "): "
                            + e.getMessage()
                            + "; is the dnnl jar for it on the class path?",
                    e);
        }
        dnnl_engine engine = new dnnl_engine();
        check(dnnl.dnnl_engine_create(engine, dnnl.dnnl_cpu, 0), "dnnl_engine_create");
        return engine;
    }

    /** Sets a variable where native code sees it; OpenMP reads its own when it is loaded. */
    private static void setEnvironment(String name, String value) {
        if (Platform.isWindows()) {
            NativeLibrary.getInstance("msvcrt")
                    .getFunction("_putenv_s")
                    .invokeInt(new Object[] {name, value});
        } else {
            NativeLibrary.getInstance("c")
                    .getFunction("setenv")
                    .invokeInt(new Object[] {name, value, 1});
        }
    }

    static dnnl_engine engine() {
        return ENGINE;
    }

    /** Whether this CPU multiplies bfloat16 without emulation. */
    static boolean hasBf16() {
        int isa = dnnl.dnnl_get_effective_cpu_isa();
        return (isa & dnnl.dnnl_cpu_isa_avx512_core_bf16) == dnnl.dnnl_cpu_isa_avx512_core_bf16;
    }

    /** The instruction set that oneDNN uses, in its own words. */
    static String instructionSet() {
        int isa = dnnl.dnnl_get_effective_cpu_isa();
        if (isa == dnnl.dnnl_cpu_isa_avx512_core) return "AVX-512";
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_vnni) return "AVX-512 VNNI";
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_bf16) return "AVX-512 BF16";
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_fp16) return "AVX-512 FP16";
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_amx) return "AMX";
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_amx_fp16) return "AMX FP16";
        if (isa == dnnl.dnnl_cpu_isa_avx2) return "AVX2";
        if (isa == dnnl.dnnl_cpu_isa_avx2_vnni) return "AVX2 VNNI";
        return isa == 0 ? System.getProperty("os.arch") : "ISA 0x" + Integer.toHexString(isa);
    }

    static String version() {
        dnnl_version_t v = dnnl.dnnl_version();
        return v.major() + "." + v.minor() + "." + v.patch();
    }

    /** Zeroed memory on a cache-line boundary; {@code deallocate()} frees it. */
    static BytePointer allocate(long bytes) {
        BytePointer memory = new BytePointer(bytes + ALIGNMENT);
        long address = memory.address();
        memory.position((ALIGNMENT - address % ALIGNMENT) % ALIGNMENT);
        memory.limit(memory.position() + bytes);
        Pointer.memset(memory, 0, bytes);
        return memory;
    }

    /** Memory of a layout at an address; {@code dnnl_memory_destroy} ends it. */
    static dnnl_memory memory(dnnl_memory_desc layout, BytePointer address) {
        dnnl_memory memory = new dnnl_memory();
        check(dnnl.dnnl_memory_create(memory, layout, ENGINE, address), "dnnl_memory_create");
        return memory;
    }

    /** What primitives run on; {@code dnnl_stream_destroy} ends it. */
    static dnnl_stream stream() {
        dnnl_stream stream = new dnnl_stream();
        check(
                dnnl.dnnl_stream_create(stream, ENGINE, dnnl.dnnl_stream_default_flags),
                "dnnl_stream_create");
        return stream;
    }

    /** Rows that lie {@code stride} elements apart. */
    static dnnl_memory_desc strided(int rows, int columns, int type, int stride) {
        dnnl_memory_desc description = new dnnl_memory_desc();
        check(
                dnnl.dnnl_memory_desc_create_with_strides(
                        description, 2, new long[] {rows, columns}, type, new long[] {stride, 1}),
                "dnnl_memory_desc_create_with_strides");
        return description;
    }

    /** Weights of bf16 in panels of 64 outputs, pairs of neighbouring inputs in each. */
    static dnnl_memory_desc pairPanels(int inputs, int outputs) {
        dnnl_memory_desc description = new dnnl_memory_desc();
        check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        description,
                        2,
                        new long[] {inputs, outputs},
                        dnnl.dnnl_bf16,
                        dnnl.dnnl_BA16a64b2a),
                "dnnl_memory_desc_create_with_tag");
        return description;
    }

    /** Attributes of a product that works in a scratchpad of the caller's. */
    static dnnl_primitive_attr attributes() {
        dnnl_primitive_attr attributes = new dnnl_primitive_attr();
        check(dnnl.dnnl_primitive_attr_create(attributes), "dnnl_primitive_attr_create");
        check(
                dnnl.dnnl_primitive_attr_set_scratchpad_mode(
                        attributes, dnnl.dnnl_scratchpad_mode_user),
                "dnnl_primitive_attr_set_scratchpad_mode");
        return attributes;
    }

    static void check(int status, String call) {
        if (status == dnnl.dnnl_success) return;
        String name =
                status == dnnl.dnnl_out_of_memory
                        ? "out of memory"
                        : status == dnnl.dnnl_unimplemented ? "unimplemented" : "status " + status;
        throw new IllegalStateException("oneDNN's " + call + " failed: " + name);
    }
}
