package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each mistake that a kernel can make is found, and its place told. */
@OnSoftGpu(devices = 2)
class PlantedKernelFaultsTest {
    private static final int ALLOCATED = 128;

    /**
     * A kernel with a mistake in line 2, launched with 64 threads a block.
     *
     * @param body statements; {@code x} has 128 floats, {@code t} is the thread, {@code n} is 128
     * @param thread that is named; empty for any
     */
    private record Fault(
            String name, int blocks, String body, int code, String thread, String... words) {
        @Override
        public String toString() {
            return name;
        }

        String source() {
            return """
            extern "C" __global__ void faulty(float* x, int n) { int t = threadIdx.x; extern __shared__ float dynamic[];
            %s
            }
            """
                    .formatted(body);
        }
    }

    private static Fault fault(String name, int code, String thread, String body, String... words) {
        return new Fault(name, 1, body, code, thread, words);
    }

    static List<Fault> faults() {
        return List.of(
                fault(
                        "behind an allocation",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(3,0,0)",
                        "x[t == 3 ? n : t] = 1;",
                        "write of 4 bytes",
                        "0 bytes after the end of an allocation of 512 bytes"),
                fault(
                        "before an allocation",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(0,0,0)",
                        "x[64 + t] = x[t - 1];",
                        "read of 4 bytes",
                        "4 bytes before an allocation of 512 bytes"),
                fault(
                        "partly behind an allocation",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(0,0,0)",
                        "float4 v = ((float4*)x)[32]; x[0] = v.x + v.y;",
                        "after the end"),
                fault(
                        "a null pointer",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(9,0,0)",
                        "float* p = t == 9 ? nullptr : x + t; *p = 1;",
                        "a null pointer"),
                fault(
                        "a vector that is not aligned",
                        CUDA_ERROR_MISALIGNED_ADDRESS,
                        "(0,0,0)",
                        "float4 v = *(float4*)(x + 1); x[64 + t] = v.y;",
                        "misaligned",
                        "float4",
                        "not a multiple of 16"),
                fault(
                        "a pair that is not aligned",
                        CUDA_ERROR_MISALIGNED_ADDRESS,
                        "(1,0,0)",
                        "if (t == 1) *(uint2*)(x + 1) = make_uint2(1, 2);",
                        "misaligned",
                        "uint2",
                        "not a multiple of 8"),
                fault(
                        "an atomic operation that is not aligned",
                        CUDA_ERROR_MISALIGNED_ADDRESS,
                        "(0,0,0)",
                        "atomicAdd((int*)((char*)x + 2), 1);",
                        "misaligned"),
                fault(
                        "behind a shared array",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(32,0,0)",
                        "__shared__ float a[32]; __shared__ float b[32]; b[t % 32] = 1; float* p ="
                                + " a; p[t] = 1;",
                        "0 bytes after the end of the shared faulty::a of 128 bytes"),
                fault(
                        "an index that an array does not have",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(32,0,0)",
                        "__shared__ float a[32]; a[t] = 1;",
                        "index 32 of 'float [32]'"),
                fault(
                        "behind the dynamic shared memory",
                        CUDA_ERROR_ILLEGAL_ADDRESS,
                        "(63,0,0)",
                        "dynamic[t + 1] = 1;",
                        "0 bytes after the 256 bytes of dynamic shared memory"),
                fault(
                        "uninitialised static shared memory",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(4,0,0)",
                        "__shared__ float a[64]; if (t != 5) a[t] = 1; __syncthreads(); x[t] = a[t"
                                + " ^ 1];",
                        "uninitialised",
                        "byte 20 of the shared faulty::a"),
                fault(
                        "uninitialised dynamic shared memory",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "x[t] = dynamic[t];",
                        "uninitialised",
                        "byte 0 of the dynamic shared memory"),
                fault(
                        "a read with no barrier after the write",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(32,0,0)",
                        "dynamic[t] = 1; if (t >= 32) x[t] = dynamic[t - 32];",
                        "data race: read",
                        "thread (0,0,0) wrote"),
                fault(
                        "a write with no barrier after the read",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(1,0,0)",
                        "dynamic[t] = 1; __syncthreads(); float y = dynamic[(t + 1) % 64];"
                                + " dynamic[t] = y;",
                        "data race: write",
                        "thread (0,0,0) read"),
                fault(
                        "two writes",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(1,0,0)",
                        "dynamic[t / 2] = t;",
                        "data race: write",
                        "thread (0,0,0) wrote"),
                fault(
                        "two writes of halves of a number are none, of one half are",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(2,0,0)",
                        "unsigned short* h = (unsigned short*)dynamic; h[t % 2] = 1;",
                        "data race: write of 2 bytes",
                        "thread (0,0,0) wrote"),
                fault(
                        "a barrier of the warp where the block's is needed",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(63,0,0)", // the last that comes goes on first
                        "dynamic[t] = 1; __syncwarp(); x[t] = dynamic[t ^ (t < 32 ? 1 : 32)];",
                        "data race: read",
                        "thread (31,0,0) wrote"),
                fault(
                        "global memory with no barrier",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(32,0,0)",
                        "x[t] = 1; x[64 + t] = x[t ^ 32];",
                        "data race",
                        "of an allocation of 512 bytes"),
                new Fault(
                        "two blocks",
                        2,
                        "if (t == 0) x[0] = blockIdx.x;",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "data race",
                        "another block wrote"),
                fault(
                        "a barrier that some have left behind",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "if (t < 40) __syncthreads();",
                        "divergent barrier",
                        "thread (40,0,0) has ended"),
                new Fault(
                        "two barriers",
                        1,
                        "if (t < 40) __syncthreads(); else\n__syncthreads();",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "divergent barrier",
                        "thread (40,0,0) waits in __syncthreads at test.cu:3"),
                fault(
                        "a lane that does not come",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "if (t % 32 < 16) x[t] = __shfl_xor_sync(~0u, 1.0f, 1); else"
                                + " __syncthreads();",
                        "divergent warp: __shfl_xor_sync",
                        "lane 16 of its mask 0xffffffff waits in __syncthreads"),
                fault(
                        "a mask without the lane that calls",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(16,0,0)",
                        "__syncwarp(0xffff);",
                        "leaves out the lane that calls, 16"),
                fault(
                        "a shuffle from a lane that is gone",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "",
                        "if (t == 3) return; x[t] = __shfl_sync(~0u, 1.0f, 3);",
                        "a lane that takes no part"),
                fault(
                        "an asynchronous copy that nobody waits for",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(0,0,0)",
                        "__shared__ __align__(16) float a[256]; softgpu_async_copy(a + 4 * t, x,"
                                + " 16, 16, __builtin_FILE(), __builtin_LINE());"
                                + " softgpu_async_commit(); __syncthreads(); x[t] = a[t];",
                        "uninitialised"),
                fault("a trap", CUDA_ERROR_LAUNCH_FAILED, "(7,0,0)", "if (t == 7) __trap();"),
                fault(
                        "an assertion",
                        CUDA_ERROR_LAUNCH_FAILED,
                        "(8,0,0)",
                        "assert(t != 8);",
                        "assert(t != 8)"));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void isFound(Fault fault) {
        try (TestDevice device = new TestDevice(0)) {
            long x = device.upload(new float[ALLOCATED]);
            int code =
                    device.launch(
                            device.kernel(fault.source(), "faulty"),
                            fault.blocks(),
                            64,
                            256,
                            x,
                            ALLOCATED);
            String report = Report.take();
            assertEquals(fault.code(), code, report);
            String place = "thread " + fault.thread();
            assertTrue(report.contains("kernel faulty, block ("), report);
            assertTrue(fault.thread().isEmpty() || report.contains(place), report);
            assertTrue(report.contains("test.cu:2"), report);
            for (String word : fault.words()) assertTrue(report.contains(word), report);
            assertEquals(
                    fault.code(), cuCtxSynchronize(), "the error stays until the context goes");
        }
    }

    /** Right, though each is close to a mistake. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dynamic[t] = t; __syncwarp(); x[t] = dynamic[t ^ 1];",
                "dynamic[t] = t; __syncthreads(); x[t] = dynamic[63 - t];",
                "unsigned short* h = (unsigned short*)dynamic; h[t] = t; __syncthreads(); x[t] ="
                        + " h[t ^ 1];",
                "x[t] = 1; __syncthreads(); x[64 + t] = x[63 - t];",
                "x[t] = 1; x[t] += 1;",
                "if (t < 32) { __syncwarp(); x[t] = __shfl_sync(~0u, 1.0f, 3); }",
                "if (t % 32 < 8) x[t] = __shfl_xor_sync(0xff, 1.0f, 1);",
                "if (t % 32 == 9) return; x[t] = __shfl_xor_sync(~0u, 1.0f, t % 32 > 23 ? 1 : 0);",
                "float4 v = ((float4*)x)[31]; x[t] = v.x;",
                "atomicAdd(x, 1.0f);",
                "char* c = (char*)dynamic; c[t] = t; __syncthreads(); x[t] = c[63 - t];"
            })
    void isNoFault(String body) {
        try (TestDevice device = new TestDevice(0)) {
            long x = device.upload(new float[ALLOCATED]);
            Fault none = new Fault("none", 1, body, CUDA_SUCCESS, "");
            int code =
                    device.launch(device.kernel(none.source(), "faulty"), 1, 64, 256, x, ALLOCATED);
            assertEquals(CUDA_SUCCESS, code, Report.take());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void memoryThatWasFreedOrLiesOnAnotherDeviceIsNotTouched(boolean freed) {
        String source = "extern \"C\" __global__ void get(float* to, float* from) { *to = *from; }";
        try (TestDevice other = new TestDevice(1);
                TestDevice device = new TestDevice(0)) {
            long to = device.allocate(4);
            long from;
            if (freed) {
                from = device.upload(1f);
                device.free(from);
            } else {
                other.makeCurrent();
                from = other.upload(1f);
                device.makeCurrent();
            }
            int code = device.launch(device.kernel(source, "get"), 1, 1, 0, to, from);
            String report = Report.take();
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS, code, report);
            assertTrue(
                    report.contains(freed ? "a freed allocation of 4 bytes" : "of device 1"),
                    report);
        }
    }
}
