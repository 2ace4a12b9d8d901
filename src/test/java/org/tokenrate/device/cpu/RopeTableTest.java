package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

class RopeTableTest {
    /** A cosine, two products and a sum, each rounded to a float's 24 bits. */
    private static final double BOUND = 4 * 0x1p-24;

    private static final int[] POSITIONS = {0, 1, 2, 63, 1023, 1024, 1025, 5000};
    private static final int MARGIN = 3;

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 6, 16, 20, 32, 48, 64, 70, 80, 96, 128, 256})
    void headsAreTurnedAsCosineAndSineSay(int headDim) {
        long seed = headDim;
        Random random = new Random(seed);
        for (float theta : new float[] {10_000f, 500_000f}) {
            RopeTable table = new RopeTable(headDim, new Rope(theta, RopeScaling.NONE));
            Batch batch = new Batch(1, 1);
            for (int position : POSITIONS) {
                at(position, batch);
                table.prepare(batch); // grows step by step: what is there must stay right
                float[] x = new float[headDim + 2 * MARGIN];
                for (int i = 0; i < x.length; i++) x[i] = (float) random.nextGaussian();
                float[] turned = x.clone();
                table.turn(turned, MARGIN, table.row(batch, 0));
                check(x, turned, headDim, theta, position, seed);
            }
        }
    }

    /** A batch of the token at a position. */
    private static void at(int position, Batch batch) {
        batch.clear();
        batch.add(new int[position + 1], position, position + 1, 1, new int[0]);
    }

    private static void check(
            float[] x, float[] turned, int headDim, float theta, int position, long seed) {
        int half = headDim / 2;
        double[] expected = new double[x.length];
        for (int i = 0; i < x.length; i++) expected[i] = x[i]; // the margin stays as it is
        for (int i = 0; i < half; i++) {
            double angle = position * Math.pow(theta, -2.0 * i / headDim);
            double a = x[MARGIN + i];
            double b = x[MARGIN + half + i];
            expected[MARGIN + i] = a * Math.cos(angle) - b * Math.sin(angle);
            expected[MARGIN + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
        }
        for (int i = 0; i < x.length; i++) {
            int pair = i < MARGIN + half ? i + half : i - half;
            boolean margin = i < MARGIN || i >= MARGIN + headDim;
            double size = margin ? 0 : Math.abs(x[i]) + Math.abs(x[pair]);
            assertEquals(
                    expected[i],
                    turned[i],
                    BOUND * size + Double.MIN_VALUE,
                    "element %d at position %d, theta %s, seed %d"
                            .formatted(i - MARGIN, position, theta, seed));
        }
    }

    @Test
    void positionZeroTurnsNothing() {
        RopeTable table = new RopeTable(6, new Rope(10_000f, RopeScaling.NONE));
        Batch batch = new Batch(1, 1);
        at(0, batch);
        table.prepare(batch);
        float[] x = {1, 2, 3, 4, 5, 6};
        table.turn(x, 0, table.row(batch, 0));
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, x);
    }
}
