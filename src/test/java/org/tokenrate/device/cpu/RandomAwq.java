package org.tokenrate.device.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** A 4-bit layer of random weights in AutoAWQ's layout, and the same weights as plain numbers. */
record RandomAwq(AwqData data, float[][] weights) {
    private static final int[] ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    static RandomAwq of(Random random, int inputs, int outputs, int groupSize) {
        int groups = inputs / groupSize;
        float[][] w = new float[outputs][inputs];
        int[][] zero = new int[groups][outputs];
        ByteBuffer qweight = buffer(4 * inputs * outputs / 8);
        ByteBuffer qzeros = buffer(4 * groups * outputs / 8);
        ByteBuffer scales = buffer(2 * groups * outputs);
        float[][] scale = new float[groups][outputs];
        for (int g = 0; g < groups; g++) {
            for (int o = 0; o < outputs; o++) {
                short half = (short) (0x2000 + random.nextInt(0x0800)); // 2^-7 to 2^-5
                if (random.nextInt(50) == 0) half = (short) random.nextInt(0x400); // subnormal
                if (random.nextInt(50) == 0) half |= (short) 0x8000;
                scales.putShort(half);
                scale[g][o] = Half.toFloat(half);
                zero[g][o] = random.nextInt(16);
            }
            for (int o = 0; o < outputs; o += 8) {
                int packed = 0;
                for (int j = 0; j < 8; j++) packed |= zero[g][o + ORDER[j]] << 4 * j;
                qzeros.putInt(packed);
            }
        }
        for (int i = 0; i < inputs; i++) {
            for (int o = 0; o < outputs; o += 8) {
                int packed = 0;
                for (int j = 0; j < 8; j++) {
                    int q = random.nextInt(16);
                    packed |= q << 4 * j;
                    int output = o + ORDER[j];
                    int g = i / groupSize;
                    w[output][i] = (q - zero[g][output]) * scale[g][output];
                }
                qweight.putInt(packed);
            }
        }
        AwqData data =
                new AwqData(
                        "random",
                        tensor("qweight", DType.I32, inputs, outputs / 8, qweight),
                        tensor("qzeros", DType.I32, groups, outputs / 8, qzeros),
                        tensor("scales", DType.F16, groups, outputs, scales),
                        groupSize,
                        0,
                        outputs);
        return new RandomAwq(data, w);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static TensorData tensor(
            String name, DType type, int rows, int columns, ByteBuffer bytes) {
        return new ArrayTensor(type, rows, columns, new float[0], bytes.flip());
    }
}
