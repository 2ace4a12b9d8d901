package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.device.Table;

/** Products and the gated activation against plain loops in double precision. */
class CpuDeviceTest {
    private static final int MAX_ROWS = 70;

    /** Of the sum of magnitudes: products of up to 100 terms, each sum rounded to 24 bits. */
    private static final double BOUND = 4e-6;

    /** A bfloat16 keeps 8 bits. */
    private static final double BF16_ROUNDING = 0x1p-8;

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void productsOfAnyShapeAreRight(DType dtype) throws IOException {
        assumeMultiplied(dtype);
        int[] odd = {1, 2, 3, 15, 16, 17, 33, 64, 65, 100, 1024, 1025, 3000};
        for (long seed = 0; seed < 24; seed++) {
            Random random = new Random(seed);
            int inputs = odd[random.nextInt(odd.length)];
            int outputs = odd[random.nextInt(odd.length)];
            int threads = 1 + random.nextInt(3);
            try (CpuDevice device = new CpuDevice(dtype, threads)) {
                ArrayTensor w = ArrayTensor.random(random, dtype, outputs, inputs);
                Matrix matrix = device.loadMatrix(List.of(new DenseData(w)), List.of());
                assertEquals(inputs, matrix.inputs());
                assertEquals(outputs, matrix.outputs());
                for (int rows : new int[] {1, 1 + random.nextInt(MAX_ROWS), MAX_ROWS}) {
                    String what =
                            "%d x %d x %d, %s, %d threads, seed %d"
                                    .formatted(rows, inputs, outputs, dtype, threads, seed);
                    checkProduct(device, random, List.of(w), matrix, rows, what);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1", "F32, 3", "BF16, 2"})
    void partsOfEveryStoredTypeAreLoadedOneBelowTheOther(DType dtype, int threads)
            throws IOException {
        assumeMultiplied(dtype);
        long seed = 21;
        Random random = new Random(seed);
        DType[][] mixes = {
            {DType.F16},
            {DType.F32},
            {DType.BF16},
            {DType.F16, DType.F16},
            {DType.F32, DType.F16},
            {DType.BF16, DType.F32, DType.F16}
        };
        for (DType[] types : mixes) {
            try (CpuDevice device = new CpuDevice(dtype, threads)) {
                List<ArrayTensor> parts = new ArrayList<>();
                for (DType type : types) {
                    parts.add(ArrayTensor.random(random, type, 1 + random.nextInt(60), 19));
                }
                Matrix matrix =
                        device.loadMatrix(
                                parts.stream().<LinearData>map(DenseData::new).toList(), List.of());
                String what = List.of(types) + " as " + dtype + ", seed " + seed;
                checkProduct(device, random, parts, matrix, 5, what);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aBiasOfEveryStoredTypeIsAddedOnce(DType dtype) throws IOException {
        assumeMultiplied(dtype);
        DType[] stored = {DType.F32, DType.BF16, DType.F16};
        for (long seed = 0; seed < 18; seed++) {
            Random random = new Random(seed);
            int inputs = 1 + random.nextInt(40);
            int threads = 1 + random.nextInt(3);
            int rows = seed % 3 == 0 ? 1 : 1 + random.nextInt(MAX_ROWS); // one row goes its own way
            try (CpuDevice device = new CpuDevice(dtype, threads)) {
                List<LinearData> parts = new ArrayList<>();
                List<TensorData> biases = new ArrayList<>();
                List<ArrayTensor> all = new ArrayList<>();
                for (int p = 1 + random.nextInt(3); p > 0; p--) {
                    int outputs = 1 + random.nextInt(100);
                    parts.add(new DenseData(ArrayTensor.random(random, dtype, outputs, inputs)));
                    ArrayTensor bias =
                            ArrayTensor.random(random, stored[random.nextInt(3)], 1, outputs);
                    all.add(bias);
                    biases.add(bias.elements(0, outputs));
                }
                Matrix with = device.loadMatrix(parts, biases);
                Matrix without = device.loadMatrix(parts, List.of());
                assertEquals(without.bytes() + 4L * with.outputs(), with.bytes());
                CpuTensor x = (CpuTensor) device.newInput(MAX_ROWS, inputs);
                fill(x, randomRows(random, rows, inputs));
                float[][] before = randomRows(random, rows, with.outputs());
                for (boolean accumulate : new boolean[] {false, true}) {
                    CpuTensor y = (CpuTensor) device.newTensor(MAX_ROWS, with.outputs());
                    CpuTensor plain = (CpuTensor) device.newTensor(MAX_ROWS, with.outputs());
                    fill(y, before);
                    fill(plain, before);
                    multiply(device, x, with, rows, y, accumulate);
                    multiply(device, x, without, rows, plain, accumulate);
                    for (int row = 0; row < rows; row++) {
                        float[] got = device.read(y, row);
                        float[] expected = device.read(plain, row);
                        int output = 0;
                        for (ArrayTensor bias : all) {
                            for (int i = 0; i < bias.columns(); i++, output++) {
                                assertEquals(
                                        expected[output] + bias.value(0, i),
                                        got[output],
                                        1e-4,
                                        "output %d, seed %d".formatted(output, seed));
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void aBiasThatDoesNotFitIsRefused() throws IOException {
        Random random = new Random(1);
        try (CpuDevice device = new CpuDevice(DType.F32, 1)) {
            DenseData w = new DenseData(ArrayTensor.random(random, DType.F32, 4, 3));
            TensorData bias = ArrayTensor.random(random, DType.F32, 1, 3);
            String message =
                    assertThrows(
                                    IOException.class,
                                    () -> device.loadMatrix(List.of(w), List.of(bias)))
                            .getMessage();
            assertEquals("a bias of 3 numbers does not fit 4 outputs", message);
        }
    }

    private static void checkProduct(
            CpuDevice device,
            Random random,
            List<ArrayTensor> parts,
            Matrix matrix,
            int rows,
            String what) {
        float[][] x = randomRows(random, rows, matrix.inputs());
        CpuTensor in = (CpuTensor) device.newInput(MAX_ROWS, matrix.inputs());
        fill(in, x);
        float[][] before = randomRows(random, rows, matrix.outputs());
        for (boolean accumulate : new boolean[] {false, true}) {
            CpuTensor out = (CpuTensor) device.newTensor(MAX_ROWS, matrix.outputs());
            fill(out, before);
            multiply(device, in, matrix, rows, out, accumulate);
            for (int row = 0; row < rows; row++) {
                float[] got = device.read(out, row);
                float[] input = device.read(in, row); // as rounded to the device's type
                int output = 0;
                for (ArrayTensor part : parts) {
                    for (int i = 0; i < part.rows(); i++, output++) {
                        double start = accumulate ? before[row][output] : 0;
                        checkElement(device.dtype(), part, i, input, start, got[output], what);
                    }
                }
            }
        }
    }

    private static void checkElement(
            DType dtype,
            ArrayTensor w,
            int row,
            float[] input,
            double start,
            float got,
            String what) {
        double sum = start;
        double size = Math.abs(start);
        for (int k = 0; k < input.length; k++) {
            float weight = w.value(row, k);
            if (dtype == DType.BF16) weight = Bf16.toFloat(Bf16.bits(weight));
            sum += (double) weight * input[k];
            size += Math.abs((double) weight * input[k]);
        }
        assertEquals(sum, got, BOUND * size, what);
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 1, 7",
        "F32, 2, 1",
        "F32, 3, 7",
        "BF16, 1, 1",
        "BF16, 2, 7",
        "BF16, 2, 1",
        "BF16, 3, 7"
    })
    void theGatedProductIsRightForOddWidths(DType dtype, int threads, int rows) throws IOException {
        assumeMultiplied(dtype);
        int inputs = 13;
        for (int width : new int[] {1, 3, 16, 17, 33, 63, 100, 131, 257}) {
            long seed = width;
            Random random = new Random(seed);
            ArrayTensor gate = ArrayTensor.random(random, dtype, width, inputs);
            ArrayTensor up = ArrayTensor.random(random, dtype, width, inputs);
            boolean biased = width % 3 != 0;
            ArrayTensor gateBias = ArrayTensor.random(random, DType.F32, 1, width);
            ArrayTensor upBias = ArrayTensor.random(random, dtype, 1, width);
            try (CpuDevice device = new CpuDevice(dtype, threads)) {
                Matrix g =
                        device.loadMatrix(
                                List.of(new DenseData(gate)),
                                biased ? List.of(gateBias) : List.of());
                Matrix u =
                        device.loadMatrix(
                                List.of(new DenseData(up)), biased ? List.of(upBias) : List.of());
                CpuTensor in = (CpuTensor) device.newInput(rows, inputs);
                fill(in, randomRows(random, rows, inputs));
                CpuTensor gated = (CpuTensor) device.newTensor(rows, width);
                CpuTensor out = (CpuTensor) device.newInput(rows, width);
                device.gatedLinear(in, g, u, rows, gated, out);
                for (int row = 0; row < rows; row++) {
                    float[] x = device.read(in, row);
                    float[] got = device.read(out, row);
                    for (int i = 0; i < width; i++) {
                        double s = dot(gate, i, x) + (biased ? gateBias.value(0, i) : 0);
                        double t = dot(up, i, x) + (biased ? upBias.value(0, i) : 0);
                        double expected = s / (1 + Math.exp(-s)) * t;
                        double rounding = dtype == DType.BF16 ? BF16_ROUNDING : 0;
                        assertEquals(
                                expected,
                                got[i],
                                1e-4 + rounding * Math.abs(expected),
                                "%d of %d, %s, %d threads, seed %d"
                                        .formatted(i, width, dtype, threads, seed));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 7fc00000, 5",
        "F32, 7fffffff, 5",
        "F32, ffc000ff, 5",
        "F32, 7fffffff, 70",
        "BF16, 7fffffff, 5",
    })
    void aQueryThatIsNotANumberIsSeenInTheOutput(DType dtype, String bits, int tokens) {
        assumeMultiplied(dtype);
        AttentionShape shape = new AttentionShape(1, 1, 4, new Rope(1e4f, RopeScaling.NONE), 128);
        try (CpuDevice device = new CpuDevice(dtype, 2)) {
            CpuTensor qkv = (CpuTensor) device.newTensor(tokens, shape.columnsPerKvHead());
            float[] row = new float[shape.columnsPerKvHead()];
            Arrays.fill(row, 1e-3f);
            for (int t = 0; t < tokens; t++) qkv.put(t, 0, row, 0, row.length);
            row[0] = Float.intBitsToFloat(Integer.parseUnsignedInt(bits, 16));
            qkv.put(tokens - 1, 0, row, 0, row.length);
            Batch batch = new Batch(tokens, 1);
            batch.clear();
            batch.add(new int[tokens], 0, tokens, tokens, new int[] {0, 1});
            KvCache cache = device.newKvCache(2, KvCache.TILE_TOKENS, 1, 1, shape.headDim());
            CpuTensor out = (CpuTensor) device.newInput(tokens, shape.headDim());
            device.ropeAndStore(qkv, batch, cache, 0, shape, Optional.empty());
            device.attention(qkv, batch, cache, 0, shape, Integer.MAX_VALUE, out);
            for (float x : device.read(out, tokens - 1)) assertTrue(Float.isNaN(x), bits);
            for (float x : device.read(out, tokens - 2)) assertEquals(1e-3f, x, 1e-5f);
        }
    }

    private static double dot(ArrayTensor w, int row, float[] x) {
        double sum = 0;
        for (int k = 0; k < x.length; k++) sum += (double) w.value(row, k) * x[k];
        return sum;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void tablesOfEveryStoredTypeAreReadByRow(DType stored) throws IOException {
        Random random = new Random(31);
        ArrayTensor data = ArrayTensor.random(random, stored, 40, 37);
        try (CpuDevice device = new CpuDevice(DType.F32, 2)) {
            Table table = device.loadTable(data);
            int[] tokens = {39, 0, 7, 7, 12};
            CpuTensor x = (CpuTensor) device.newTensor(tokens.length, 37);
            device.embed(table, tokens, tokens.length, x);
            for (int t = 0; t < tokens.length; t++) {
                float[] expected = new float[37];
                for (int c = 0; c < 37; c++) expected[c] = data.value(tokens[t], c);
                assertArrayEquals(expected, device.read(x, t));
            }
        }
    }

    @Test
    void aDeviceOfHalvesIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new CpuDevice(DType.F16, 1));
        assertTrue(e.getMessage().startsWith("dtype=f16: this CPU ("), e.getMessage());
        assertTrue(e.getMessage().endsWith("use dtype=f32, or auto"), e.getMessage());
    }

    private static float[][] randomRows(Random random, int rows, int columns) {
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) row[i] = 2 * random.nextFloat() - 1;
        }
        return values;
    }

    private static void fill(CpuTensor tensor, float[][] rows) {
        short[] scratch = new short[tensor.columns()];
        for (int row = 0; row < rows.length; row++) {
            tensor.convert(row, 0, rows[row], tensor.columns(), scratch);
        }
    }

    private static void multiply(
            CpuDevice device, CpuTensor x, Matrix w, int rows, CpuTensor y, boolean accumulate) {
        if (accumulate) device.addLinear(x, w, rows, y);
        else device.linear(x, w, rows, y);
    }
}
