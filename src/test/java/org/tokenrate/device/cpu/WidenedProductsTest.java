package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.MatrixProducts.After;

/** Products of inputs in f32 and weights in bf16, against sums in double precision. */
class WidenedProductsTest {
    private static final int[] SIZES = {1, 7, 8, 40, 64, 100, 192, 1024, 1025, 2500};
    private static final double BOUND = 1e-5;

    @BeforeEach
    void haveSuchProducts() {
        assumeTrue(ProductCheck.bf16WeightsAreRight(), "oneDNN has no such products here");
    }

    @ParameterizedTest
    @EnumSource
    void whateverComesAfterIsDoneOnceWithABiasOrWithout(After after) throws IOException {
        for (long seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            int inputs = SIZES[random.nextInt(SIZES.length)];
            int outputs = SIZES[random.nextInt(SIZES.length)];
            int threads = 1 + random.nextInt(3);
            String what = "%d x %d, %s, seed %d".formatted(inputs, outputs, after, seed);
            try (Team team = new Team(threads);
                    MatrixProducts products = new MatrixProducts(DType.F32, DType.BF16);
                    WeightMemory memory = new WeightMemory();
                    MatrixLoader loader = new MatrixLoader(products, team, memory)) {
                ArrayTensor weights = ArrayTensor.random(random, DType.BF16, outputs, inputs);
                CpuMatrix matrix = loader.load(List.of(weights));
                float[] bias = random.nextBoolean() ? floats(random, outputs) : new float[0];
                if (bias.length > 0) matrix.addBias(bias);
                for (int rows : new int[] {1, 2}) {
                    check(random, team, matrix, weights, bias, after, rows, what);
                }
                matrix.free();
            }
        }
    }

    private static void check(
            Random random,
            Team team,
            CpuMatrix matrix,
            ArrayTensor weights,
            float[] bias,
            After after,
            int rows,
            String what) {
        CpuTensor x = tensor(random, rows, matrix.inputs());
        CpuTensor y = tensor(random, rows, matrix.outputs());
        CpuTensor factor = tensor(random, rows, matrix.outputs());
        float[][] before = new float[rows][];
        for (int r = 0; r < rows; r++) before[r] = y.toFloats(r);
        matrix.prepare(rows, x, y, after, factor);
        team.run(matrix, matrix.sliceCount());
        for (int r = 0; r < rows; r++) {
            float[] input = x.toFloats(r);
            float[] got = y.toFloats(r);
            float[] factors = factor.toFloats(r);
            for (int o = 0; o < got.length; o++) {
                double sum = bias.length > 0 ? bias[o] : 0;
                double size = Math.abs(sum) + Math.abs(before[r][o]);
                for (int i = 0; i < input.length; i++) {
                    sum += (double) weights.value(o, i) * input[i];
                    size += Math.abs((double) weights.value(o, i) * input[i]);
                }
                double factored = factors[o];
                double expected =
                        switch (after) {
                            case NOTHING -> sum;
                            case ADD -> sum + before[r][o];
                            case SILU -> sum / (1 + Math.exp(-sum));
                            case MULTIPLY -> sum * factored;
                        };
                double scale = after == After.MULTIPLY ? Math.abs(factored) : 1;
                assertEquals(expected, got[o], BOUND * size * scale, what + ", rows " + rows);
            }
        }
        for (CpuTensor tensor : List.of(x, y, factor)) tensor.free();
    }

    private static CpuTensor tensor(Random random, int rows, int columns) {
        CpuTensor tensor = new CpuTensor(rows, columns, DType.F32);
        for (int r = 0; r < rows; r++) {
            tensor.convert(r, 0, floats(random, columns), columns, new short[columns]);
        }
        return tensor;
    }

    private static float[] floats(Random random, int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) floats[i] = (float) random.nextGaussian();
        return floats;
    }
}
