package org.tokenrate.device.cuda.kernels;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class ElementwiseTest extends OnGpu {
    private static final int[] WIDTHS = {8, 1016, 1024, 1032, 11_008};

    /** Of an exponential within 2 units in the last place, a division and a product in f32. */
    private static final double F32_ERROR = 8 * Math.scalb(1.0, -24);

    @ParameterizedTest
    @EnumSource
    void aBiasIsAddedToEveryRow(Element type) {
        Random random = random();
        for (int columns : WIDTHS) {
            int rows = 1 + random.nextInt(3);
            short[] y = type.random(random, rows * columns, 2);
            short[] bias = type.random(random, columns, 1);
            Gpu.Buffer out = gpu.shorts(y);
            run(type, "add_bias", rows, columns, out, gpu.shorts(bias), columns);
            short[] actual = gpu.readShorts(out);
            for (int i = 0; i < actual.length; i++) {
                double b = type.value(bias[i % columns]);
                double expected = type.value(y[i]) + b;
                near(
                        expected,
                        type.value(actual[i]),
                        type.roundingOf(expected) + F32_ERROR,
                        "element %d",
                        i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theGateWeighsTheOtherProduct(Element type) {
        Random random = random();
        for (int columns : WIDTHS) {
            for (boolean sideBySide : new boolean[] {false, true}) {
                int rows = 1 + random.nextInt(3);
                int stride = sideBySide ? 2 * columns : columns;
                short[] gate = type.random(random, rows * stride, 4);
                short[] up = sideBySide ? gate : type.random(random, rows * stride, 1);
                gate[0] = type.round(-100); // its exponential is infinite
                int shift = sideBySide ? columns : 0;
                Gpu.Buffer g = gpu.shorts(gate);
                Gpu.Buffer u =
                        sideBySide ? new Gpu.Buffer(g.address() + 2L * columns, 0) : gpu.shorts(up);
                Gpu.Buffer out = gpu.unwritten(2L * rows * columns);
                run(type, "silu_multiply", rows, columns, g, u, out, columns, stride);
                short[] actual = gpu.readShorts(out);
                for (int i = 0; i < actual.length; i++) {
                    int at = i / columns * stride + i % columns;
                    double a = type.value(gate[at]);
                    double expected = a / (1 + Math.exp(-a)) * type.value(up[at + shift]);
                    near(
                            expected,
                            type.value(actual[i]),
                            type.roundingOf(expected) + F32_ERROR * Math.abs(expected),
                            "columns %d, element %d",
                            columns,
                            i);
                }
            }
        }
    }

    private static void run(
            Element type, String kernel, int rows, int columns, Object... arguments) {
        gpu.launch(
                "elementwise.cu",
                List.of(type.option()),
                kernel,
                new Gpu.Grid(rows, Gpu.blocks(columns, 1024)),
                128,
                arguments);
    }
}
