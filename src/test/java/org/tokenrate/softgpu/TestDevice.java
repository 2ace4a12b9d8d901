package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.bytedeco.cuda.global.nvrtc.*;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * A device and its current context, for tests that launch a kernel or two; frees all that it gave.
 */
public final class TestDevice implements AutoCloseable {
    private final int device;
    private final CUctx_st context = new CUctx_st();
    private final List<Long> memory = new ArrayList<>();
    private final List<CUmod_st> modules = new ArrayList<>();
    public final CUstream_st stream = new CUstream_st();

    public TestDevice(int device) {
        this.device = device;
        check("cuInit", cuInit(0));
        check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
        makeCurrent();
        check("cuStreamCreate", cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
    }

    /** Makes it the device of the calling thread. */
    public void makeCurrent() {
        check("cuCtxSetCurrent", cuCtxSetCurrent(context));
    }

    /** The kernel of this name in CUDA source. */
    public CUfunc_st kernel(String source, String name, String... options) {
        CUmod_st module = module(source, options);
        CUfunc_st function = new CUfunc_st();
        check("cuModuleGetFunction", cuModuleGetFunction(function, module, name));
        return function;
    }

    public CUmod_st module(String source, String... options) {
        CUmod_st module = new CUmod_st();
        try (BytePointer image = new BytePointer(compile(source, options))) {
            check("cuModuleLoadData", cuModuleLoadData(module, image));
        }
        modules.add(module);
        return module;
    }

    /** A cubin for sm_80 of a source called test.cu. */
    public static byte[] compile(String source, String... options) {
        _nvrtcProgram program = new _nvrtcProgram();
        checkNvrtc(
                nvrtcCreateProgram(
                        program,
                        new BytePointer(source, StandardCharsets.UTF_8),
                        new BytePointer("test.cu"),
                        0,
                        (PointerPointer<?>) null,
                        null));
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--gpu-architecture=sm_80");
        int result =
                nvrtcCompileProgram(
                        program, all.size(), new PointerPointer<>(all.toArray(String[]::new)));
        SizeTPointer size = new SizeTPointer(1);
        nvrtcGetProgramLogSize(program, size);
        BytePointer log = new BytePointer(size.get());
        nvrtcGetProgramLog(program, log);
        if (result != NVRTC_SUCCESS) {
            throw new IllegalArgumentException(log.getString());
        }
        nvrtcGetCUBINSize(program, size);
        BytePointer image = new BytePointer(size.get());
        checkNvrtc(nvrtcGetCUBIN(program, image));
        byte[] bytes = new byte[(int) size.get()];
        image.get(bytes);
        nvrtcDestroyProgram(program);
        return bytes;
    }

    public long allocate(long bytes) {
        long[] address = new long[1];
        check("cuMemAlloc", cuMemAlloc(address, bytes));
        memory.add(address[0]);
        return address[0];
    }

    public void free(long address) {
        memory.remove(address);
        check("cuMemFree", cuMemFree(address));
    }

    public long upload(float... values) {
        long address = allocate(4L * values.length);
        check("cuMemcpyHtoD", cuMemcpyHtoD(address, new FloatPointer(values), 4L * values.length));
        return address;
    }

    public long upload(int... values) {
        long address = allocate(4L * values.length);
        check("cuMemcpyHtoD", cuMemcpyHtoD(address, new IntPointer(values), 4L * values.length));
        return address;
    }

    public float[] floats(long address, int count) {
        float[] values = new float[count];
        FloatPointer host = new FloatPointer(count);
        check("cuMemcpyDtoH", cuMemcpyDtoH(host, address, 4L * count));
        host.get(values);
        return values;
    }

    public int[] ints(long address, int count) {
        int[] values = new int[count];
        IntPointer host = new IntPointer((long) count);
        check("cuMemcpyDtoH", cuMemcpyDtoH(host, address, 4L * count));
        host.get(values);
        return values;
    }

    /**
     * Queues a kernel on {@link #stream}; returns the driver's code.
     *
     * @param arguments Long for an address, Integer, Float
     */
    public int queue(CUfunc_st kernel, int grid, int block, int shared, Object... arguments) {
        Pointer[] pointers = new Pointer[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            pointers[i] =
                    switch (arguments[i].getClass().getSimpleName()) {
                        case "Long" -> new LongPointer(new long[] {(Long) arguments[i]});
                        case "Integer" -> new IntPointer(new int[] {(Integer) arguments[i]});
                        case "Float" -> new FloatPointer(new float[] {(Float) arguments[i]});
                        default -> throw new IllegalArgumentException("" + arguments[i]);
                    };
        }
        return cuLaunchKernel(
                kernel,
                grid,
                1,
                1,
                block,
                1,
                1,
                shared,
                stream,
                new PointerPointer<>(pointers),
                (PointerPointer<?>) null);
    }

    /** Queues a kernel and waits for it; returns the first code that is no success. */
    public int launch(CUfunc_st kernel, int grid, int block, int shared, Object... arguments) {
        int queued = queue(kernel, grid, block, shared, arguments);
        return queued != CUDA_SUCCESS ? queued : cuStreamSynchronize(stream);
    }

    public static void check(String call, int code) {
        if (code == CUDA_SUCCESS) return;
        PointerPointer<BytePointer> name = new PointerPointer<>(1);
        cuGetErrorName(code, name);
        throw new IllegalStateException(call + ": " + name.get(BytePointer.class).getString());
    }

    private static void checkNvrtc(int code) {
        if (code != NVRTC_SUCCESS) {
            throw new IllegalStateException(nvrtcGetErrorString(code).getString());
        }
    }

    @Override
    public void close() {
        makeCurrent();
        for (CUmod_st module : modules) cuModuleUnload(module);
        for (long address : memory) cuMemFree(address);
        cuStreamDestroy(stream);
        cuDevicePrimaryCtxRelease(device);
    }
}
