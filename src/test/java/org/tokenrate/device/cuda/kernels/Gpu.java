package org.tokenrate.device.cuda.kernels;

import static org.bytedeco.cuda.global.cudart.*;
import static org.bytedeco.cuda.global.nvrtc.*;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** The first device: compiles kernels, keeps buffers, launches one kernel at a time and waits. */
final class Gpu implements AutoCloseable {
    private static final List<String> HEADERS = List.of("common.cuh", "ptx.cuh", "attention.cuh");

    private final Map<String, CUmod_st> modules = new HashMap<>();
    private final List<Buffer> buffers = new ArrayList<>();

    /** Device memory of exactly the size that a kernel may touch. */
    record Buffer(long address, long bytes) {}

    /** Blocks of the grid. */
    record Grid(int x, int y, int z) {
        Grid(int x) {
            this(x, 1, 1);
        }

        Grid(int x, int y) {
            this(x, y, 1);
        }
    }

    Gpu() {
        check("cuInit", cuInit(0));
        CUctx_st context = new CUctx_st();
        check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, 0));
        check("cuCtxSetCurrent", cuCtxSetCurrent(context));
    }

    static int blocks(long items, int each) {
        return Math.toIntExact((items + each - 1) / each);
    }

    Buffer floats(float... values) {
        Buffer buffer = allocate(4L * values.length);
        try (FloatPointer p = new FloatPointer(values)) {
            return upload(buffer, p);
        }
    }

    Buffer ints(int... values) {
        Buffer buffer = allocate(4L * values.length);
        try (IntPointer p = new IntPointer(values)) {
            return upload(buffer, p);
        }
    }

    Buffer shorts(short... values) {
        Buffer buffer = allocate(2L * values.length);
        try (ShortPointer p = new ShortPointer(values)) {
            return upload(buffer, p);
        }
    }

    Buffer doubles(double... values) {
        Buffer buffer = allocate(8L * values.length);
        try (DoublePointer p = new DoublePointer(values)) {
            return upload(buffer, p);
        }
    }

    /** Bytes of 0xff: as 16- or 32-bit floats not numbers, so that what is not written shows. */
    Buffer unwritten(long bytes) {
        return filled(bytes, (byte) 0xff);
    }

    Buffer zeros(long bytes) {
        return filled(bytes, (byte) 0);
    }

    private Buffer filled(long bytes, byte value) {
        Buffer buffer = allocate(bytes);
        check("cuMemsetD8", cuMemsetD8(buffer.address, value, bytes));
        return buffer;
    }

    float[] readFloats(Buffer buffer) {
        float[] values = new float[Math.toIntExact(buffer.bytes / 4)];
        try (FloatPointer p = new FloatPointer(values.length)) {
            download(p, buffer);
            p.get(values);
        }
        return values;
    }

    int[] readInts(Buffer buffer) {
        int[] values = new int[Math.toIntExact(buffer.bytes / 4)];
        try (IntPointer p = new IntPointer(values.length)) {
            download(p, buffer);
            p.get(values);
        }
        return values;
    }

    short[] readShorts(Buffer buffer) {
        short[] values = new short[Math.toIntExact(buffer.bytes / 2)];
        try (ShortPointer p = new ShortPointer(values.length)) {
            download(p, buffer);
            p.get(values);
        }
        return values;
    }

    private Buffer allocate(long bytes) {
        long[] address = new long[1];
        check("cuMemAlloc", cuMemAlloc(address, bytes));
        Buffer buffer = new Buffer(address[0], bytes);
        buffers.add(buffer);
        return buffer;
    }

    private static Buffer upload(Buffer buffer, Pointer from) {
        check("cuMemcpyHtoD", cuMemcpyHtoD(buffer.address, from, buffer.bytes));
        return buffer;
    }

    private static void download(Pointer to, Buffer buffer) {
        check("cuMemcpyDtoH", cuMemcpyDtoH(to, buffer.address, buffer.bytes));
    }

    /**
     * Compiles the file, once, runs a kernel of it and waits.
     *
     * @param options -D...
     * @param arguments buffers, ints, longs, floats; a pointer that is 0 is {@code 0L}
     */
    void launch(
            String file,
            List<String> options,
            String kernel,
            Grid grid,
            int threads,
            Object... arguments) {
        CUmod_st module = modules.computeIfAbsent(file + options, any -> load(file, options));
        CUfunc_st function = new CUfunc_st();
        check("cuModuleGetFunction", cuModuleGetFunction(function, module, kernel));
        Pointer[] values = new Pointer[arguments.length];
        for (int i = 0; i < values.length; i++) values[i] = argument(arguments[i]);
        try (PointerPointer<Pointer> all = new PointerPointer<>(values)) {
            check(
                    "cuLaunchKernel of " + kernel,
                    cuLaunchKernel(
                            function,
                            grid.x,
                            grid.y,
                            grid.z,
                            threads,
                            1,
                            1,
                            0,
                            (CUstream_st) null,
                            all,
                            (PointerPointer<?>) null));
            check("cuCtxSynchronize after " + kernel, cuCtxSynchronize());
        }
        for (Pointer value : values) value.close();
    }

    private static Pointer argument(Object value) {
        if (value instanceof Buffer b) return new LongPointer(new long[] {b.address});
        if (value instanceof Integer i) return new IntPointer(new int[] {i});
        if (value instanceof Long l) return new LongPointer(new long[] {l});
        if (value instanceof Float f) return new FloatPointer(new float[] {f});
        throw new IllegalArgumentException("an argument of type " + value.getClass());
    }

    private static CUmod_st load(String file, List<String> options) {
        CUmod_st module = new CUmod_st();
        try (BytePointer image = new BytePointer(compile(file, options, "sm_80"))) {
            check("cuModuleLoadData", cuModuleLoadData(module, image));
        }
        return module;
    }

    /**
     * A file of kernels as NVRTC compiles it.
     *
     * @throws IllegalStateException if it does not compile, with the compiler's words
     */
    static byte[] compile(String file, List<String> options, String architecture) {
        List<String> all = new ArrayList<>(options);
        all.add("--gpu-architecture=" + architecture);
        all.add("-std=c++17");
        // Closed at the end: a text that nothing refers to any more is freed under the compiler.
        try (BytePointer text = new BytePointer(source(file));
                BytePointer name = new BytePointer(file);
                PointerPointer<BytePointer> headers =
                        pointers(HEADERS.stream().map(Gpu::source).toList());
                PointerPointer<BytePointer> names = pointers(HEADERS);
                PointerPointer<BytePointer> arguments = pointers(all)) {
            _nvrtcProgram program = new _nvrtcProgram();
            check(
                    "nvrtcCreateProgram",
                    nvrtcCreateProgram(program, text, name, HEADERS.size(), headers, names));
            int status = nvrtcCompileProgram(program, all.size(), arguments);
            return image(program, status, file + " " + all);
        }
    }

    private static PointerPointer<BytePointer> pointers(List<String> texts) {
        return new PointerPointer<>(
                texts.stream().map(BytePointer::new).toArray(BytePointer[]::new));
    }

    private static byte[] image(_nvrtcProgram program, int status, String what) {
        try (SizeTPointer size = new SizeTPointer(1)) {
            nvrtcGetProgramLogSize(program, size);
            byte[] log = new byte[Math.max(1, (int) size.get())];
            nvrtcGetProgramLog(program, log);
            String text = new String(log, StandardCharsets.UTF_8).replace("\0", "").strip();
            if (status != 0 || text.contains("warning")) {
                throw new IllegalStateException(what + ": " + text);
            }
            check("nvrtcGetCUBINSize", nvrtcGetCUBINSize(program, size));
            byte[] image = new byte[(int) size.get()];
            check("nvrtcGetCUBIN", nvrtcGetCUBIN(program, image));
            check("nvrtcDestroyProgram", nvrtcDestroyProgram(program));
            return image;
        }
    }

    private static String source(String file) {
        String here = "/org/tokenrate/device/cuda/";
        InputStream in = Gpu.class.getResourceAsStream(here + file);
        if (in == null) in = Gpu.class.getResourceAsStream(here + "kernels/" + file);
        try (InputStream open = in) {
            return new String(open.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void check(String call, int status) {
        if (status != 0) throw new IllegalStateException(call + " gave " + status);
    }

    /** Frees every buffer. */
    void free() {
        for (Buffer buffer : buffers) check("cuMemFree", cuMemFree(buffer.address));
        buffers.clear();
    }

    @Override
    public void close() {
        free();
        for (CUmod_st module : modules.values()) check("cuModuleUnload", cuModuleUnload(module));
        check("cuDevicePrimaryCtxRelease", cuDevicePrimaryCtxRelease(0));
    }
}
