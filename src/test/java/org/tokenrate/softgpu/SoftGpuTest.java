package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels on the software GPU compute what they would on a device. */
@OnSoftGpu(devices = 2)
class SoftGpuTest {
    @Test
    void theDeviceSaysThatItIsNone() {
        byte[] name = new byte[64];
        try (TestDevice device = new TestDevice(1)) {
            TestDevice.check("cuDeviceGetName", cuDeviceGetName(name, name.length, 1));
            assertEquals(
                    "Software GPU (tests only, no timing)",
                    new String(name, 0, new String(name).indexOf(0)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 256, 1000})
    void everyThreadOfEveryBlockRuns(int n) {
        String source =
                """
                extern "C" __global__ void __launch_bounds__(64)
                scale(const float* __restrict__ x, float* y, float factor, int n) {
                    int i = blockIdx.x * blockDim.x + threadIdx.x;
                    if (i < n) y[i] = factor * __ldg(x + i);
                }
                """;
        try (TestDevice device = new TestDevice(0)) {
            CUfunc_st kernel = device.kernel(source, "scale");
            float[] x = new float[n];
            for (int i = 0; i < n; i++) x[i] = i;
            long from = device.upload(x);
            long to = device.allocate(4L * n);
            TestDevice.check(
                    "launch", device.launch(kernel, (n + 63) / 64, 64, 0, from, to, 0.5f, n));
            for (int i = 0; i < n; i++) x[i] *= 0.5f;
            assertArrayEquals(x, device.floats(to, n));
        }
    }

    @Test
    void shufflesVotesAndBarriersMeanWhatTheyMean() {
        String source =
                """
                constexpr int kThreads = 128;
                template <int n> __device__ __forceinline__ int blockSum(int x) {
                    __shared__ int partial[n / 32];
                    #pragma unroll
                    for (int o = 16; o > 0; o /= 2) x += __shfl_xor_sync(0xffffffffu, x, o);
                    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = x;
                    __syncthreads();
                    int sum = 0;
                    for (int w = 0; w < n / 32; w++) sum += partial[w];
                    return sum;
                }
                extern "C" __global__ void __launch_bounds__(kThreads) ops(int* out) {
                    extern __shared__ __align__(16) int reversed[];
                    int t = threadIdx.x;
                    int lane = t & 31;
                    reversed[t] = t;
                    __syncthreads();
                    int* o = out + 8 * t;
                    o[0] = reversed[kThreads - 1 - t];
                    o[1] = blockSum<kThreads>(t);
                    o[2] = __shfl_up_sync(~0u, lane, 3);
                    o[3] = __shfl_down_sync(~0u, lane, 3, 8);
                    o[4] = __shfl_sync(~0u, lane, 5, 16);
                    o[5] = (int)__ballot_sync(~0u, lane % 3 == 0);
                    o[6] = __any_sync(~0u, lane == 7) + 2 * __all_sync(~0u, lane < 31);
                    o[7] = __syncthreads_count(t % 5 == 0);
                    atomicAdd(out + 8 * kThreads, t);
                }
                """;
        int threads = 128;
        try (TestDevice device = new TestDevice(0)) {
            CUfunc_st kernel = device.kernel(source, "ops");
            long out = device.upload(new int[8 * threads + 1]);
            TestDevice.check("launch", device.launch(kernel, 1, threads, 4 * threads, out));
            int[] found = device.ints(out, 8 * threads + 1);
            int ballot = IntStream.range(0, 32).filter(l -> l % 3 == 0).map(l -> 1 << l).sum();
            for (int t = 0; t < threads; t++) {
                int lane = t % 32;
                assertArrayEquals(
                        new int[] {
                            threads - 1 - t,
                            threads * (threads - 1) / 2,
                            lane < 3 ? lane : lane - 3,
                            lane % 8 + 3 > 7 ? lane : lane + 3,
                            lane / 16 * 16 + 5,
                            ballot,
                            1,
                            (threads + 4) / 5
                        },
                        java.util.Arrays.copyOfRange(found, 8 * t, 8 * t + 8),
                        "thread " + t);
            }
            assertEquals(threads * (threads - 1) / 2, found[8 * threads]);
        }
    }

    @Test
    void accessBehindAnAllocationIsReportedWithItsPlace() {
        String source =
                """
                extern "C" __global__ void over(float* x) {
                    x[threadIdx.x] = 1;
                }
                """;
        try (TestDevice device = new TestDevice(0)) {
            CUfunc_st kernel = device.kernel(source, "over");
            long x = device.allocate(4 * 40);
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS, device.launch(kernel, 1, 64, 0, x));
            String report = Report.take();
            org.junit.jupiter.api.Assertions.assertTrue(
                    report.contains("write of 4 bytes")
                            && report.contains(
                                    "0 bytes after the end of an allocation of 160 bytes")
                            && report.contains(
                                    "kernel over, block (0,0,0), thread (40,0,0), test.cu:2"),
                    report);
        }
    }
}
