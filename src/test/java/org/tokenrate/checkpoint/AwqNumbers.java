package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/** 4-bit weights as plain numbers, by the formula of {@link AwqData} and nothing else. */
public final class AwqNumbers {
    private static final int[] ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    private AwqNumbers() {}

    /** {@code [outputs, inputs]}, row-major; of all outputs. */
    public static float[] of(AwqData data) throws IOException {
        int inputs = (int) data.inputs();
        int outputs = (int) data.scales().rowLength();
        int groups = inputs / data.groupSize();
        IntBuffer qweight = data.qweight().rows(0, inputs).asIntBuffer();
        IntBuffer qzeros = data.qzeros().rows(0, groups).asIntBuffer();
        ShortBuffer scales = data.scales().rows(0, groups).asShortBuffer();
        float[] weights = new float[outputs * inputs];
        for (int i = 0; i < inputs; i++) {
            int g = i / data.groupSize();
            for (int word = 0; word < outputs / 8; word++) {
                int q = qweight.get(i * outputs / 8 + word);
                int z = qzeros.get(g * outputs / 8 + word);
                for (int nibble = 0; nibble < 8; nibble++) {
                    int o = word * 8 + ORDER[nibble];
                    int difference = (q >>> 4 * nibble & 15) - (z >>> 4 * nibble & 15);
                    float scale = AwqLayer.fromF16(scales.get(g * outputs + o));
                    weights[o * inputs + i] = difference * scale;
                }
            }
        }
        return weights;
    }
}
