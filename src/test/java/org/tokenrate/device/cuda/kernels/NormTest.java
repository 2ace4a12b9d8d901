package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class NormTest extends OnGpu {
    private static final int[] WIDTHS = {8, 64, 2040, 2048, 2056, 4096};
    private static final float EPS = 0.05f; // large enough to show

    /** Of a sum of squares, a root, a division and two products in f32, at most. */
    private static final double F32_ERROR = 40 * Math.scalb(1.0, -24);

    @ParameterizedTest
    @EnumSource
    void rowsAreDividedByTheirRootMeanSquare(Element type) {
        Random random = random();
        for (int hidden : WIDTHS) {
            int rows = 1 + random.nextInt(4);
            float[] x = floats(random, rows * hidden);
            int[] index = random.ints(3, 0, rows).toArray();
            short[] weight = type.random(random, hidden, 1);
            Gpu.Buffer all = gpu.unwritten(2L * rows * hidden);
            run(type, "rms_norm", rows, gpu.floats(x), 0L, gpu.shorts(weight), all, hidden, EPS);
            check(type, x, identity(rows), weight, hidden, gpu.readShorts(all));
            Gpu.Buffer chosen = gpu.unwritten(2L * index.length * hidden);
            run(
                    type,
                    "rms_norm",
                    index.length,
                    gpu.floats(x),
                    gpu.ints(index),
                    gpu.shorts(weight),
                    chosen,
                    hidden,
                    EPS);
            check(type, x, index, weight, hidden, gpu.readShorts(chosen));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aProductIsAddedBeforeTheNorm(Element type) {
        Random random = random();
        for (int hidden : WIDTHS) {
            int rows = 1 + random.nextInt(4);
            float[] x = floats(random, rows * hidden);
            short[] delta = type.random(random, rows * hidden, 1);
            short[] weight = type.random(random, hidden, 1);
            int[] index = {rows - 1, 0, rows - 1}; // the same row twice
            Gpu.Buffer stream = gpu.floats(x);
            Gpu.Buffer added = gpu.shorts(delta);
            Gpu.Buffer weights = gpu.shorts(weight);
            Gpu.Buffer chosen = gpu.unwritten(2L * index.length * hidden);
            Gpu.Buffer at = gpu.ints(index);
            String kernel = "add_rms_norm";
            run(type, kernel, index.length, stream, added, at, weights, chosen, hidden, EPS);
            assertArrayEquals(x, gpu.readFloats(stream));
            Gpu.Buffer out = gpu.unwritten(2L * rows * hidden);
            run(type, kernel, rows, stream, added, 0L, weights, out, hidden, EPS);
            float[] sums = gpu.readFloats(stream);
            for (int i = 0; i < sums.length; i++) {
                near(x[i] + (float) type.value(delta[i]), sums[i], 0, "sum %d", i);
            }
            check(type, sums, identity(rows), weight, hidden, gpu.readShorts(out));
            check(type, sums, index, weight, hidden, gpu.readShorts(chosen));
        }
    }

    private static void run(Element type, String kernel, int blocks, Object... arguments) {
        gpu.launch("norm.cu", List.of(type.option()), kernel, new Gpu.Grid(blocks), 256, arguments);
    }

    private static void check(
            Element type, float[] x, int[] index, short[] weight, int hidden, short[] actual) {
        for (int row = 0; row < index.length; row++) {
            double sum = 0;
            for (int i = 0; i < hidden; i++) sum += Math.pow(x[index[row] * hidden + i], 2);
            for (int i = 0; i < hidden; i++) {
                double expected =
                        x[index[row] * hidden + i]
                                / Math.sqrt(sum / hidden + EPS)
                                * type.value(weight[i]);
                near(
                        expected,
                        type.value(actual[row * hidden + i]),
                        type.roundingOf(expected) + F32_ERROR * Math.abs(expected),
                        "width %d, row %d, column %d",
                        hidden,
                        row,
                        i);
            }
        }
    }

    private static int[] identity(int rows) {
        int[] index = new int[rows];
        for (int i = 0; i < rows; i++) index[i] = i;
        return index;
    }

    private static float[] floats(Random random, int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) x[i] = (float) random.nextGaussian() * 3;
        return x;
    }
}
