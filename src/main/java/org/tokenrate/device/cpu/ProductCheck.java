package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/**
 * Multiplies whole numbers, whose sums are exact, once a process before anybody relies on products
 * that convert weights: oneDNN has had wrong ones, and which it takes depends on the CPU.
 */
final class ProductCheck {
    private static final int OUTPUTS = 72;
    private static final int[] INPUTS = {64, 1024, 2100};
    private static final int[] ROWS = {1, 7, 64};

    private ProductCheck() {}

    /** Whether inputs of f32 and weights of bf16 make the right products. */
    static boolean bf16WeightsAreRight() {
        return Result.RIGHT;
    }

    private static final class Result {
        static final boolean RIGHT = areRight();
    }

    private static boolean areRight() {
        try (Team team = new Team(1);
                MatrixProducts products = new MatrixProducts(DType.F32, DType.BF16);
                WeightMemory memory = new WeightMemory();
                MatrixLoader loader = new MatrixLoader(products, team, memory)) {
            for (int inputs : INPUTS) {
                CpuMatrix matrix = loader.load(List.of(new Weights(inputs)));
                try {
                    for (int rows : ROWS) if (!isRight(team, matrix, rows)) return false;
                } finally {
                    matrix.free();
                }
            }
            return true;
        } catch (IOException | IllegalStateException e) {
            return false; // oneDNN tells in no other way that it has no such products
        }
    }

    private static boolean isRight(Team team, CpuMatrix matrix, int rows) {
        int inputs = matrix.inputs();
        CpuTensor x = new CpuTensor(rows, inputs, DType.F32);
        CpuTensor y = new CpuTensor(rows, OUTPUTS, DType.F32);
        float[] row = new float[inputs];
        short[] halves = new short[inputs];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < inputs; i++) row[i] = number(r, i);
            x.convert(r, 0, row, inputs, halves);
        }
        matrix.multiply(team, x, rows, y, false);
        boolean right = true;
        for (int r = 0; r < rows; r++) {
            float[] got = y.toFloats(r);
            for (int o = 0; o < OUTPUTS; o++) {
                int sum = 0;
                for (int i = 0; i < inputs; i++) sum += number(r, i) * number(o, 3 * i + 1);
                right &= got[o] == sum;
            }
        }
        x.free();
        y.free();
        return right;
    }

    /** From -3 to 3. */
    private static int number(int row, int column) {
        return (row * 31 + column * 17 + column / 7) % 7 - 3;
    }

    private record Weights(int inputs) implements TensorData {
        @Override
        public String name() {
            return "weights of the check";
        }

        @Override
        public DType type() {
            return DType.F32;
        }

        @Override
        public long[] shape() {
            return new long[] {OUTPUTS, inputs};
        }

        @Override
        public ByteBuffer rows(long from, long to) {
            int count = (int) (to - from);
            ByteBuffer bytes = ByteBuffer.allocate(count * inputs * Float.BYTES);
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            for (int o = (int) from; o < to; o++) {
                for (int i = 0; i < inputs; i++) bytes.putFloat(number(o, 3 * i + 1));
            }
            return bytes.flip();
        }
    }
}
