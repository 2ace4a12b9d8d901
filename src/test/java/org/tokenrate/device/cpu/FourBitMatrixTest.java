package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.device.Matrix;

/** Products with 4-bit weights against the dequantised weights in double precision. */
class FourBitMatrixTest {
    private static final int MAX_ROWS = 300;

    /**
     * Of the sum of magnitudes, whatever the type: 4-bit weights are exact in bfloat16. Sums are
     * taken of 128 + q, which is up to 143 times what the zero point leaves.
     */
    private static final double BOUND = 2e-5;

    @ParameterizedTest
    @CsvSource({
        "BF16, 32",
        "BF16, 64",
        "BF16, 128",
        "F32, 32",
        "F32, 64",
        "F32, 128",
    })
    void productsOfAnyShapeAreRight(DType dtype, int groupSize) throws IOException {
        assumeMultiplied(dtype);
        for (long seed = 0; seed < 8; seed++) {
            Random random = new Random(seed);
            int inputs = groupSize * (1 + random.nextInt(6));
            int outputs = 8 * (1 + random.nextInt(70));
            int threads = 1 + random.nextInt(3);
            RandomAwq awq = RandomAwq.of(random, inputs, outputs, groupSize);
            try (CpuDevice device = new CpuDevice(dtype, threads)) {
                Matrix matrix = device.loadMatrix(List.of(awq.data()), List.of());
                assertEquals(inputs, matrix.inputs());
                assertEquals(outputs, matrix.outputs());
                for (int rows :
                        new int[] {1, 2, 3, 4, 5 + random.nextInt(MAX_ROWS - 5), MAX_ROWS}) {
                    String what =
                            "%d x %d x %d, groups of %d, %s, %d threads, seed %d"
                                    .formatted(
                                            rows, inputs, outputs, groupSize, dtype, threads, seed);
                    checkProduct(
                            device, random, awq.weights(), new float[outputs], matrix, rows, what);
                }
            }
        }
    }

    private static void checkProduct(
            CpuDevice device,
            Random random,
            float[][] weights,
            float[] bias,
            Matrix matrix,
            int rows,
            String what) {
        CpuTensor in = (CpuTensor) device.newInput(rows, matrix.inputs());
        fill(random, in, rows);
        for (boolean accumulate : new boolean[] {false, true}) {
            CpuTensor out = (CpuTensor) device.newTensor(rows, matrix.outputs());
            fill(random, out, rows);
            float[][] before = new float[rows][];
            for (int r = 0; r < rows; r++) before[r] = device.read(out, r);
            if (accumulate) device.addLinear(in, matrix, rows, out);
            else device.linear(in, matrix, rows, out);
            for (int r = 0; r < rows; r++) {
                float[] x = device.read(in, r);
                float[] got = device.read(out, r);
                for (int o = 0; o < matrix.outputs(); o++) {
                    double start = bias[o] + (accumulate ? before[r][o] : 0);
                    double size = Math.abs(start) + magnitude(weights[o], x);
                    assertEquals(start + dot(weights[o], x), got[o], BOUND * size, what);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void theGatedProductIsRight(DType dtype) throws IOException {
        assumeMultiplied(dtype);
        for (long seed = 0; seed < 6; seed++) {
            Random random = new Random(seed);
            int width = 8 * (1 + random.nextInt(50));
            RandomAwq gate = RandomAwq.of(random, 128, width, 64);
            RandomAwq up = RandomAwq.of(random, 128, width, 64);
            try (CpuDevice device = new CpuDevice(dtype, 2)) {
                Matrix g = device.loadMatrix(List.of(gate.data()), List.of());
                Matrix u = device.loadMatrix(List.of(up.data()), List.of());
                for (int rows : new int[] {1, 2, 3, 40}) {
                    CpuTensor in = (CpuTensor) device.newInput(rows, 128);
                    fill(random, in, rows);
                    CpuTensor gated = (CpuTensor) device.newTensor(rows, width);
                    CpuTensor out = (CpuTensor) device.newInput(rows, width);
                    device.gatedLinear(in, g, u, rows, gated, out);
                    for (int r = 0; r < rows; r++) {
                        float[] x = device.read(in, r);
                        float[] got = device.read(out, r);
                        for (int o = 0; o < width; o++) {
                            double s = dot(gate.weights()[o], x);
                            double factor = dot(up.weights()[o], x);
                            double expected = s / (1 + Math.exp(-s)) * factor;
                            double sizes =
                                    magnitude(gate.weights()[o], x) * (Math.abs(factor) + 0.1)
                                            + magnitude(up.weights()[o], x) * (Math.abs(s) + 0.1);
                            double bound =
                                    dtype == DType.F32
                                            ? BOUND * sizes
                                            : BOUND * sizes + 0x1p-8 * Math.abs(expected);
                            assertEquals(
                                    expected,
                                    got[o],
                                    bound,
                                    "%d of %d, %d rows, %s, seed %d"
                                            .formatted(o, width, rows, dtype, seed));
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1", "F32, 3", "BF16, 2"})
    void partsWithTheirBiasesAreLoadedOneBelowTheOther(DType dtype, int threads)
            throws IOException {
        assumeMultiplied(dtype);
        long seed = 5;
        Random random = new Random(seed);
        List<LinearData> parts = new ArrayList<>();
        List<float[]> weights = new ArrayList<>();
        RandomAwq q = RandomAwq.of(random, 96, 160, 32);
        RandomAwq k = RandomAwq.of(random, 96, 48, 32);
        for (int head = 0; head < 2; head++) {
            parts.add(q.data().slice(80L * head, 80L * (head + 1)));
            parts.add(k.data().slice(24L * head, 24L * (head + 1)));
            for (int o = 0; o < 80; o++) weights.add(q.weights()[80 * head + o]);
            for (int o = 0; o < 24; o++) weights.add(k.weights()[24 * head + o]);
        }
        ArrayTensor first = ArrayTensor.random(random, DType.F16, 1, 104);
        ArrayTensor second = ArrayTensor.random(random, DType.BF16, 1, 104);
        float[] bias = new float[208];
        System.arraycopy(first.values(), 0, bias, 0, 104);
        System.arraycopy(second.values(), 0, bias, 104, 104);
        try (CpuDevice device = new CpuDevice(dtype, threads)) {
            Matrix matrix = device.loadMatrix(parts, List.of(first, second));
            for (int rows : new int[] {1, 3, 33}) {
                checkProduct(
                        device,
                        random,
                        weights.toArray(float[][]::new),
                        bias,
                        matrix,
                        rows,
                        rows + " rows, seed " + seed);
            }
        }
    }

    @Test
    void weightsStayOfFourBitsInMemory() throws IOException {
        RandomAwq awq = RandomAwq.of(new Random(1), 1024, 1024, 128);
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            Matrix matrix = device.loadMatrix(List.of(awq.data()), List.of());
            assertTrue(
                    matrix.bytes() <= 1024 * 1024 * 0.54,
                    matrix.bytes() + " bytes for 2^20 weights of 4 bits");
        }
    }

    @Test
    void aScaleThatIsNotANumberIsRefusedByName() throws IOException {
        AwqData data = RandomAwq.of(new Random(1), 64, 16, 32).data();
        ((ArrayTensor) data.scales()).bytes().putShort(2 * (16 + 5), (short) 0x7c01);
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            IOException e =
                    assertThrows(
                            IOException.class, () -> device.loadMatrix(List.of(data), List.of()));
            assertTrue(e.getMessage().contains("output 5 in group 1"), e.getMessage());
        }
    }

    @Test
    void denseAndFourBitPartsDoNotMix() {
        RandomAwq awq = RandomAwq.of(new Random(1), 64, 16, 32);
        LinearData dense = new DenseData(ArrayTensor.random(new Random(1), DType.F32, 16, 64));
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            for (List<LinearData> parts :
                    List.of(List.of(awq.data(), dense), List.of(dense, awq.data()))) {
                assertThrows(IOException.class, () -> device.loadMatrix(parts, List.of()));
            }
        }
    }

    private static double dot(float[] w, float[] x) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) sum += (double) w[i] * x[i];
        return sum;
    }

    private static double magnitude(float[] w, float[] x) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) sum += Math.abs((double) w[i] * x[i]);
        return sum;
    }

    private static void fill(Random random, CpuTensor tensor, int rows) {
        float[] row = new float[tensor.columns()];
        short[] scratch = new short[tensor.columns()];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < row.length; i++) row[i] = 2 * random.nextFloat() - 1;
            tensor.convert(r, 0, row, row.length, scratch);
        }
    }
}
