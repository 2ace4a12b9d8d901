package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.softgpu.OnSoftGpu;

/** The helpers that are PTX on a real device, against what their instructions are said to do. */
@OnSoftGpu
final class PtxTest extends OnGpu {
    @ParameterizedTest
    @EnumSource
    void everyHalfBecomesItsFloat(Element type) {
        int n = 1 << 16;
        short[] halves = new short[n];
        for (int i = 0; i < n; i++) halves[i] = (short) i;
        Gpu.Buffer f16 = gpu.unwritten(4L * n);
        Gpu.Buffer bf16 = gpu.unwritten(4L * n);
        run(type, "from_halves", n, gpu.shorts(halves), f16, bf16, n);
        float[] actual16 = gpu.readFloats(f16);
        float[] actualB16 = gpu.readFloats(bf16);
        for (int i = 0; i < n; i++) {
            assertEquals((float) Element.F16.value((short) i), actual16[i], "f16 " + i);
            assertEquals((float) Element.BF16.value((short) i), actualB16[i], "bf16 " + i);
        }
    }

    @ParameterizedTest
    @EnumSource
    void floatsAreRoundedToTheNearestHalf(Element type) {
        Random random = random();
        int n = 200_000;
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = anyFloat(random);
        Gpu.Buffer f16 = gpu.unwritten(2L * n);
        Gpu.Buffer bf16 = gpu.unwritten(2L * n);
        Gpu.Buffer pairs = gpu.unwritten(4L * n);
        run(type, "to_halves", n, gpu.floats(x), f16, bf16, pairs, n);
        short[] actual16 = gpu.readShorts(f16);
        short[] actualB16 = gpu.readShorts(bf16);
        int[] pair = gpu.readInts(pairs);
        for (int i = 0; i < n; i++) {
            String what = x[i] + ", seed " + SEED;
            assertEquals(Element.F16.round(x[i]), actual16[i], what);
            assertEquals(Element.BF16.round(x[i]), actualB16[i], what);
            assertEquals(type.round(x[i]), (short) pair[i], what);
            assertEquals(type.round(-x[i]), (short) (pair[i] >> 16), what);
        }
    }

    /** Of all sizes; often half-way between two halves, or next to it. */
    private static float anyFloat(Random random) {
        int bits = random.nextInt();
        if (random.nextInt(3) > 0) {
            Element type = Element.values()[random.nextInt(2)];
            short half = (short) random.nextInt();
            double middle = (type.value(half) + type.value((short) (half + 1))) / 2;
            bits = Float.floatToRawIntBits((float) middle) + random.nextInt(3) - 1;
        } else if (random.nextInt(3) > 0) {
            bits = Float.floatToRawIntBits((float) random.nextGaussian());
        }
        return Float.intBitsToFloat(bits);
    }

    @ParameterizedTest
    @EnumSource
    void pairsAreSubtracted(Element type) {
        Random random = random();
        int n = 10_000;
        short[] a = type.random(random, 2 * n, 3);
        short[] b = type.random(random, 2 * n, 3);
        Gpu.Buffer out = gpu.unwritten(4L * n);
        run(type, "subtract_pairs", n, gpu.shorts(a), gpu.shorts(b), out, n);
        short[] actual = gpu.readShorts(out);
        for (int i = 0; i < 2 * n; i++) {
            short expected = type.round(type.value(a[i]) - type.value(b[i]));
            assertEquals(type.value(expected), type.value(actual[i]), 0.0, "seed " + SEED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void powersOfTwoAreNearThoseOfDoubles(Element type) {
        Random random = random();
        int n = 10_000;
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = -random.nextFloat() * 100;
        x[0] = 0;
        x[1] = Float.NEGATIVE_INFINITY;
        Gpu.Buffer y = gpu.unwritten(4L * n);
        run(type, "powers", n, gpu.floats(x), y, n);
        float[] actual = gpu.readFloats(y);
        assertEquals(1f, actual[0]);
        assertEquals(0f, actual[1]);
        for (int i = 0; i < n; i++) {
            double expected = Math.pow(2, x[i]);
            near(expected, actual[i], expected * Math.scalb(1.0, -22), "2^%s", x[i]);
        }
    }

    @ParameterizedTest
    @EnumSource
    void matricesAreSpreadOverAWarp(Element type) {
        Random random = random();
        short[] matrix = type.random(random, 32 * 8, 1);
        Gpu.Buffer plain = gpu.unwritten(4L * 4 * 32);
        Gpu.Buffer transposed = gpu.unwritten(4L * 4 * 32);
        run(type, "matrices", 32, gpu.shorts(matrix), plain, transposed);
        short[] actual = gpu.readShorts(plain);
        short[] turned = gpu.readShorts(transposed);
        for (int i = 0; i < 4; i++) {
            for (int row = 0; row < 8; row++) {
                for (int column = 0; column < 8; column++) {
                    int holder = (i * 32 + 4 * row + column / 2) * 2 + column % 2;
                    int turnedHolder = (i * 32 + 4 * column + row / 2) * 2 + row % 2;
                    short expected = matrix[(8 * i + row) * 8 + column];
                    assertEquals(expected, actual[holder]);
                    assertEquals(expected, turned[turnedHolder]);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWarpMultipliesMatrices(Element type) {
        Random random = random();
        for (int round = 0; round < 20; round++) {
            short[] a = type.random(random, 16 * 16, 1);
            short[] b = type.random(random, 16 * 8, 1);
            float[] c = new float[16 * 8];
            for (int i = 0; i < c.length; i++) c[i] = (float) random.nextGaussian();
            Gpu.Buffer out = gpu.floats(c);
            run(type, "product", 32, gpu.shorts(a), gpu.shorts(b), out);
            float[] actual = gpu.readFloats(out);
            for (int i = 0; i < 16; i++) {
                for (int j = 0; j < 8; j++) {
                    double expected = c[i * 8 + j];
                    double size = Math.abs(expected);
                    for (int k = 0; k < 16; k++) {
                        double product = type.value(a[i * 16 + k]) * type.value(b[k * 8 + j]);
                        expected += product;
                        size += Math.abs(product);
                    }
                    near(
                            expected,
                            actual[i * 8 + j],
                            17 * Math.scalb(1.0, -24) * size,
                            "row %d, column %d",
                            i,
                            j);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void copiesOfWhatIsNotThereAreZeros(Element type) {
        Random random = random();
        int[] from = random.ints(4 * 32).toArray();
        int held = random.nextInt(33);
        Gpu.Buffer to = gpu.unwritten(16L * 64);
        run(type, "copies", 32, gpu.ints(from), to, held);
        int[] actual = gpu.readInts(to);
        for (int i = 0; i < 32; i++) {
            for (int j = 0; j < 4; j++) {
                int word = from[4 * i + j];
                assertEquals(i < held ? word : 0, actual[4 * (31 - i) + j], "held " + held);
                assertEquals(word, actual[4 * (63 - i) + j]);
            }
        }
    }

    private static void run(Element type, String kernel, int n, Object... arguments) {
        int threads = Math.min(n, 256);
        gpu.launch(
                "ptx_helpers.cu",
                List.of(type.option()),
                kernel,
                new Gpu.Grid(Gpu.blocks(n, threads)),
                threads,
                arguments);
    }
}
