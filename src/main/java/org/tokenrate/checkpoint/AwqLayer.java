package org.tokenrate.checkpoint;

import java.io.IOException;
import java.util.List;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/**
 * A linear layer rounded to 4 bits, as AutoAWQ's gemm layout stores it. Each group of inputs of an
 * output has its scale {@code s = (max - min) / 15} and zero point {@code z = round(-min / s)},
 * where the range takes in 0; a weight becomes {@code q = round(w / s) + z}, which stands for
 * {@code (q - z) s}. No activations are looked at: this is rounding to nearest, not AWQ's search
 * for scales.
 *
 * @param qweight {@code [inputs, outputs / 8]}
 * @param qzeros {@code [inputs / group, outputs / 8]}
 * @param scales {@code [inputs / group, outputs]}, numbers that binary16 holds
 * @see <a href="https://github.com/casper-hansen/AutoAWQ">AutoAWQ</a>
 */
public record AwqLayer(int[] qweight, int[] qzeros, float[] scales) {
    /** Where in an int, in nibbles from the lowest, each of its eight outputs is. */
    private static final int[] PLACE = {0, 4, 1, 5, 2, 6, 3, 7};

    private static final int PER_INT = 8;
    private static final int LARGEST = 15;

    /** AutoAWQ's smallest range of a group. */
    private static final float SMALLEST_RANGE = 1e-5f;

    private static final float LARGEST_HALF = 65504f;

    /** Whether a layer's width and height can be packed in groups of this size. */
    public static boolean fits(long outputs, long inputs, int groupSize) {
        return outputs % PER_INT == 0 && inputs % groupSize == 0;
    }

    /** What {@link #write} will write for a layer, in this order. */
    public static List<Tensor> tensors(String layer, long outputs, long inputs, int groupSize) {
        long groups = inputs / groupSize;
        return List.of(
                new Tensor(layer + ".qweight", Type.I32, inputs, outputs / PER_INT),
                new Tensor(layer + ".qzeros", Type.I32, groups, outputs / PER_INT),
                new Tensor(layer + ".scales", Type.F16, groups, outputs));
    }

    /**
     * @param rows {@code [outputs, inputs]}
     * @param groupSize 32, 64 or 128
     * @throws IllegalArgumentException if the shape does not fill groups and ints, or a weight is
     *     not finite or too large for scales in binary16
     */
    public static AwqLayer quantize(float[] rows, int outputs, int inputs, int groupSize) {
        if (!AwqSettings.GROUP_SIZES.contains(groupSize)
                || !fits(outputs, inputs, groupSize)
                || rows.length != outputs * inputs) {
            throw new IllegalArgumentException(
                    "%d weights of %d outputs and %d inputs do not pack into groups of %d inputs (32, 64 or 128) and %d outputs"
                            .formatted(rows.length, outputs, inputs, groupSize, PER_INT));
        }
        int groups = inputs / groupSize;
        int words = outputs / PER_INT;
        AwqLayer layer =
                new AwqLayer(
                        new int[inputs * words],
                        new int[groups * words],
                        new float[groups * outputs]);
        for (int o = 0; o < outputs; o++) {
            int word = o / PER_INT;
            int shift = 4 * PLACE[o % PER_INT];
            for (int g = 0; g < groups; g++) {
                int first = g * groupSize;
                float min = 0;
                float max = 0;
                for (int i = first; i < first + groupSize; i++) {
                    float w = rows[o * inputs + i];
                    min = Math.min(min, w); // not a number stays one
                    max = Math.max(max, w);
                }
                float scale = halfOf(Math.max(max - min, SMALLEST_RANGE) / LARGEST);
                int zero = nibble(-min / scale);
                layer.scales[g * outputs + o] = scale;
                layer.qzeros[g * words + word] |= zero << shift;
                for (int i = first; i < first + groupSize; i++) {
                    int q = nibble((float) Math.rint(rows[o * inputs + i] / scale) + zero);
                    layer.qweight[i * words + word] |= q << shift;
                }
            }
        }
        return layer;
    }

    private static int nibble(float x) {
        return (int) Math.max(0, Math.min(LARGEST, Math.rint(x)));
    }

    private static float halfOf(float scale) {
        if (!(scale <= LARGEST_HALF)) {
            throw new IllegalArgumentException(
                    "a scale of " + scale + " does not fit binary16, which ends at 65504");
        }
        return fromF16(SafetensorsWriter.toF16(scale));
    }

    /** IEEE 754 binary16, finite or not. */
    static float fromF16(short half) {
        int exponent = half >>> 10 & 0x1f;
        int mantissa = half & 0x3ff;
        float size =
                exponent == 0
                        ? mantissa * 0x1p-24f
                        : Float.intBitsToFloat(
                                (exponent == 31 ? 255 : exponent + 112) << 23 | mantissa << 13);
        return half < 0 ? -size : size;
    }

    /** Writes the three tensors that {@link #tensors} declares. */
    public void write(SafetensorsWriter writer) throws IOException {
        writer.write(qweight);
        writer.write(qzeros);
        writer.write(scales);
    }
}
