package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cublas.*;
import static org.bytedeco.cuda.global.cudart.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.softgpu.TestDevice.check;

import java.util.Random;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** cuBLAS's products against the definition. */
@OnSoftGpu
class ProductsTest {
    /** f32, f16 and bf16 as CUDA numbers them. */
    private static final int[] TYPES = {CUDA_R_32F, CUDA_R_16F, CUDA_R_16BF};

    /** Column-major as it lies in memory, and what its numbers are after rounding. */
    private record Matrix(int rows, int columns, int leading, int type, float[] values) {
        static Matrix random(int rows, int columns, int type, Random random) {
            int leading = rows + random.nextInt(3);
            float[] values = new float[leading * columns];
            for (int i = 0; i < values.length; i++) {
                // Few bits: the same in every type.
                values[i] = (random.nextInt(33) - 16) / 8f;
            }
            return new Matrix(rows, columns, leading, type, values);
        }

        float at(int row, int column) {
            return values[row + leading * column];
        }

        int size() {
            return type == CUDA_R_32F ? 4 : 2;
        }

        long upload(TestDevice device) {
            if (type == CUDA_R_32F) return device.upload(values);
            short[] bits = new short[values.length];
            for (int i = 0; i < bits.length; i++) bits[i] = toBits(values[i], type);
            long address = device.allocate(2L * bits.length);
            check("copy", cuMemcpyHtoD(address, new ShortPointer(bits), 2L * bits.length));
            return address;
        }
    }

    /**
     * Exact for eighths up to 2, and for what the products make of them in f16 to its precision.
     */
    private static short toBits(float x, int type) {
        if (type == CUDA_R_16BF) return (short) (Float.floatToIntBits(x) >>> 16);
        if (x == 0) return 0;
        int bits = Float.floatToIntBits(x);
        return (short) (bits >>> 16 & 0x8000 | (bits >>> 13 & 0x3ffff) - (112 << 10) & 0x7fff);
    }

    private static float fromBits(short h, int type) {
        if (type == CUDA_R_16BF) return Float.intBitsToFloat(h << 16);
        int magnitude = h & 0x7fff;
        float x = Float.intBitsToFloat((magnitude << 13) + (112 << 23));
        if (magnitude >> 10 == 0) x = magnitude * 0x1p-24f;
        return h < 0 ? -x : x;
    }

    @RepeatedTest(40)
    void equalTheDefinition(org.junit.jupiter.api.RepetitionInfo repetition) {
        long seed = 20261124 + repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int m = 1 + random.nextInt(70);
        int n = 1 + random.nextInt(9);
        int k = 1 + random.nextInt(60);
        boolean transposeA = random.nextBoolean();
        boolean transposeB = random.nextBoolean();
        int type = TYPES[random.nextInt(3)];
        int outType = random.nextBoolean() ? CUDA_R_32F : type;
        float alpha = random.nextBoolean() ? 1 : 0.5f;
        float beta = random.nextBoolean() ? 0 : 2;
        Matrix a = Matrix.random(transposeA ? k : m, transposeA ? m : k, type, random);
        Matrix b = Matrix.random(transposeB ? n : k, transposeB ? k : n, type, random);
        Matrix c = Matrix.random(m, n, outType, random);
        try (TestDevice device = new TestDevice(0)) {
            cublasContext handle = new cublasContext();
            assertEquals(0, cublasCreate_v2(handle));
            assertEquals(0, cublasSetStream_v2(handle, device.stream));
            long out = c.upload(device);
            int status =
                    cublasGemmEx(
                            handle,
                            transposeA ? CUBLAS_OP_T : CUBLAS_OP_N,
                            transposeB ? CUBLAS_OP_T : CUBLAS_OP_N,
                            m,
                            n,
                            k,
                            new FloatPointer(new float[] {alpha}),
                            at(a.upload(device)),
                            type,
                            a.leading(),
                            at(b.upload(device)),
                            type,
                            b.leading(),
                            new FloatPointer(new float[] {beta}),
                            at(out),
                            outType,
                            c.leading(),
                            CUBLAS_COMPUTE_32F,
                            CUBLAS_GEMM_DEFAULT);
            assertEquals(0, status, Report.take());
            check("wait", cuStreamSynchronize(device.stream));
            float[] found = download(device, out, c);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int l = 0; l < k; l++) {
                        sum +=
                                (transposeA ? a.at(l, i) : a.at(i, l))
                                        * (transposeB ? b.at(j, l) : b.at(l, j));
                    }
                    double expected = alpha * sum + beta * c.at(i, j);
                    // Sums of sixty-fourths are exact in f32; the result is rounded once.
                    double rounding =
                            outType == CUDA_R_32F ? 0 : outType == CUDA_R_16F ? 0x1p-11 : 0x1p-8;
                    assertEquals(
                            expected,
                            found[i + c.leading() * j],
                            Math.abs(expected) * rounding,
                            "seed " + seed + ", row " + i + ", column " + j);
                }
                for (int j = 0; j < n && c.leading() > m; j++) {
                    assertEquals(c.at(m, j), found[m + c.leading() * j], "the gap, seed " + seed);
                }
            }
            assertEquals(0, cublasDestroy_v2(handle));
        }
    }

    @Test
    void anOperandThatEndsTooEarlyIsReported() {
        try (TestDevice device = new TestDevice(0)) {
            cublasContext handle = new cublasContext();
            assertEquals(0, cublasCreate_v2(handle));
            long a = device.allocate(4 * 15);
            FloatPointer one = new FloatPointer(new float[] {1});
            int status =
                    cublasGemmEx(
                            handle,
                            0,
                            0,
                            4,
                            4,
                            4,
                            one,
                            at(a),
                            CUDA_R_32F,
                            4,
                            at(a),
                            CUDA_R_32F,
                            4,
                            one,
                            at(a),
                            CUDA_R_32F,
                            4,
                            CUBLAS_COMPUTE_32F,
                            CUBLAS_GEMM_DEFAULT);
            assertEquals(CUBLAS_STATUS_INVALID_VALUE, status);
            assertTrue(Report.take().contains("cublasGemmEx touches 64 bytes"));
            assertEquals(0, cublasDestroy_v2(handle));
        }
    }

    private static float[] download(TestDevice device, long address, Matrix c) {
        if (c.type() == CUDA_R_32F) return device.floats(address, c.values().length);
        ShortPointer host = new ShortPointer((long) c.values().length);
        check("copy", cuMemcpyDtoH(host, address, 2L * c.values().length));
        float[] values = new float[c.values().length];
        for (int i = 0; i < values.length; i++) values[i] = fromBits(host.get(i), c.type());
        return values;
    }

    private static Pointer at(long where) {
        return new Pointer() {
            {
                address = where;
            }
        };
    }
}
