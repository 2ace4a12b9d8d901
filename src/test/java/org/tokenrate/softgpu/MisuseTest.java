package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.softgpu.TestDevice.check;

import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls that a driver refuses, or that it lets pass although they are wrong. */
@OnSoftGpu(devices = 2)
class MisuseTest {
    private static final String SOURCE =
            """
            extern "C" __global__ void __launch_bounds__(128) small(float* x) { x[threadIdx.x] = 1; }
            extern "C" __global__ void big(float* x) {
                __shared__ float a[8192];
                a[threadIdx.x] = 1;
                x[threadIdx.x] = a[threadIdx.x];
            }
            """;

    private TestDevice device;

    @BeforeEach
    void open() {
        device = new TestDevice(0);
    }

    @AfterEach
    void close() {
        device.close();
    }

    private static void isRefused(int expected, int code, String... words) {
        String report = Report.take();
        assertEquals(expected, code, report);
        for (String word : words) assertTrue(report.contains(word), report);
    }

    @ParameterizedTest
    @CsvSource({
        "small, 1, 129, 0, a block of 129 threads; its __launch_bounds__ allow 128",
        "big, 1, 1025, 0, 'a block of (1025,1,1) threads'",
        "big, 0, 32, 0, 'a grid of (0,1,1) blocks'",
        "big, 1, 0, 0, 'a block of (0,1,1) threads'",
        "small, 1, 32, 49153, 49153 bytes of dynamic shared memory beside 0 static ones",
        "big, 1, 32, 16385, 16385 bytes of dynamic shared memory beside 32768 static ones; 16384 at"
                + " most"
    })
    void aLaunchOverTheLimits(String name, int grid, int block, int shared, String words) {
        CUfunc_st kernel = device.kernel(SOURCE, name);
        long x = device.allocate(4096);
        isRefused(CUDA_ERROR_INVALID_VALUE, device.launch(kernel, grid, block, shared, x), words);
    }

    @Test
    void moreSharedMemoryMustBeAskedFor() {
        CUfunc_st kernel = device.kernel(SOURCE, "small");
        long x = device.allocate(4096);
        int most = 166912;
        check(
                "cuFuncSetAttribute",
                cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most));
        check("launch", device.launch(kernel, 1, 32, most, x));
        isRefused(
                CUDA_ERROR_INVALID_VALUE,
                cuFuncSetAttribute(
                        kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most + 1),
                "166913 bytes");
    }

    @Test
    void aNullArgument() {
        CUfunc_st kernel = device.kernel(SOURCE, "small");
        PointerPointer<FloatPointer> none = new PointerPointer<>(1);
        none.put(0, (FloatPointer) null);
        isRefused(
                CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(kernel, 1, 1, 1, 1, 1, 1, 0, device.stream, none, null),
                "argument 1 of 1 is missing");
    }

    @Test
    void aStreamThatWasDestroyed() {
        CUstream_st stream = new CUstream_st();
        check("cuStreamCreate", cuStreamCreate(stream, 0));
        check("cuStreamDestroy", cuStreamDestroy(stream));
        isRefused(
                CUDA_ERROR_INVALID_HANDLE,
                cuStreamSynchronize(stream),
                "use of a destroyed stream");
    }

    @Test
    void aThreadWithoutAContext() throws InterruptedException {
        int[] code = new int[1];
        Thread thread = new Thread(() -> code[0] = cuMemAlloc(new long[1], 4));
        thread.start();
        thread.join();
        isRefused(CUDA_ERROR_INVALID_CONTEXT, code[0], "needs a current context");
    }

    @Test
    void aContextThatWasReleased() {
        CUctx_st context = new CUctx_st();
        check("retain", cuDevicePrimaryCtxRetain(context, 1));
        check("release", cuDevicePrimaryCtxRelease(1));
        isRefused(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSetCurrent(context), "was released");
    }

    @Test
    void anotherDevicesStreamMemoryAndKernel() {
        long mine = device.allocate(16);
        try (TestDevice other = new TestDevice(1)) {
            CUfunc_st kernel = other.kernel(SOURCE, "small");
            isRefused(
                    CUDA_ERROR_INVALID_HANDLE,
                    cuStreamSynchronize(device.stream),
                    "a stream of device 0 in a context of device 1");
            isRefused(
                    CUDA_ERROR_INVALID_VALUE,
                    cuMemcpyHtoD(mine, new FloatPointer(4), 16),
                    "of device 0, for device 1");
            isRefused(CUDA_ERROR_INVALID_VALUE, cuMemFree(mine), "of device 0");
            device.makeCurrent();
            isRefused(
                    CUDA_ERROR_INVALID_HANDLE,
                    device.launch(kernel, 1, 1, 0, mine),
                    "a context that its module was not loaded in");
        }
    }

    @Test
    void copiesAndFreesThatMissTheirAllocation() {
        long x = device.upload(1f, 2f);
        isRefused(
                CUDA_ERROR_INVALID_VALUE,
                cuMemcpyDtoH(new FloatPointer(3), x, 12),
                "touches 12 bytes",
                "at 0 of an allocation of 8 bytes");
        isRefused(CUDA_ERROR_INVALID_VALUE, cuMemFree(x + 4), "cuMemFree");
        device.free(x);
        isRefused(CUDA_ERROR_INVALID_VALUE, cuMemFree(x), "freed before");
        isRefused(
                CUDA_ERROR_INVALID_VALUE,
                cuMemcpyDtoH(new FloatPointer(1), x, 4),
                "a freed allocation");
    }

    @Test
    void memoryThatIsNotThere() {
        long[] address = new long[1];
        assertEquals(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(address, (1L << 30) + 1));
        long[] free = new long[1];
        long most = 1L << 30;
        device.allocate(most - 4096);
        var left = new org.bytedeco.javacpp.SizeTPointer(1);
        var total = new org.bytedeco.javacpp.SizeTPointer(1);
        check("cuMemGetInfo", cuMemGetInfo(left, total));
        assertEquals(4096, left.get());
        assertEquals(most, total.get());
        assertEquals(0, free[0]);
        assertEquals(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(address, 4097));
    }
}
