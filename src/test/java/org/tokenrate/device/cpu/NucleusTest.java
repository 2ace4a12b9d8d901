package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against the definition: everything sorted, and summed up from the likeliest down. */
class NucleusTest {
    /** Probabilities are of 32-bit floats. */
    private static final double EPSILON = 1e-5;

    private static final int[] VOCABULARIES = {1, 2, 7, 8, 9, 257, 1000, 5000};
    private static final float[] TEMPERATURES = {0.01f, 0.3f, 0.8f, 1, 5, 100, 1e30f};
    private static final float[] TOP_P = {1e-6f, 0.3f, 0.8f, 0.95f, 0.999999f, 1};
    private static final double[] ENDS = {0, Math.nextDown(1.0)};

    private final Nucleus nucleus = new Nucleus();

    @Test
    void aDrawIsWhatTheDefinitionSays() {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            int n = VOCABULARIES[random.nextInt(VOCABULARIES.length)];
            float[] x = logits(random, n);
            int topK = random.nextBoolean() ? n : 1 + random.nextInt(n);
            float topP = TOP_P[random.nextInt(TOP_P.length)];
            float temperature = TEMPERATURES[random.nextInt(TEMPERATURES.length)];
            String what =
                    "seed %d: %d tokens, topK %d, topP %s, temperature %s"
                            .formatted(seed, n, topK, topP, temperature);
            for (int draw = 0; draw < 10; draw++) {
                double u = draw < 2 ? ENDS[draw] : random.nextDouble();
                check(x, topK, topP, temperature, u, what);
            }
        }
    }

    private static float[] logits(Random random, int n) {
        float[] x = new float[n];
        int kind = random.nextInt(5);
        for (int i = 0; i < n; i++) {
            x[i] =
                    switch (kind) {
                        case 0 -> 3; // all equal
                        case 1 -> random.nextInt(4); // many ties
                        case 2 -> random.nextInt(3) == 0 ? Float.NEGATIVE_INFINITY : i % 17;
                        default -> (float) (3 * random.nextGaussian());
                    };
        }
        if (kind == 4) x[random.nextInt(n)] = 60; // one that is nearly sure
        x[random.nextInt(n)] = Math.max(x[0], 4); // one that is possible
        return x;
    }

    private void check(float[] x, int topK, float topP, float temperature, double u, String what) {
        Integer[] order = IntStream.range(0, x.length).boxed().toArray(Integer[]::new);
        java.util.Arrays.sort(
                order, Comparator.comparing((Integer i) -> -x[i]).thenComparing(i -> i));
        float largest = x[order[0]];
        double[] weight = new double[topK];
        double total = 0;
        for (int i = 0; i < topK; i++) {
            weight[i] = Math.exp(((double) x[order[i]] - largest) / temperature);
            total += weight[i];
        }
        int token = nucleus.draw(x, x.length, largest, topK, topP, temperature, u);
        int place = 0;
        while (order[place] != token) place++;
        assertTrue(place < topK, what + ": token at place " + place);
        assertTrue(x[token] > Float.NEGATIVE_INFINITY, what + ": impossible token " + token);

        double kept = 0;
        int inside = 0;
        while (inside < topK && kept < topP * total) kept += weight[inside++];
        double before = 0;
        for (int i = 0; i < place; i++) before += weight[i];
        double after = before + weight[place];
        assertTrue(before <= topP * total * (1 + EPSILON), what + ": beyond the nucleus");
        assertTrue(before / kept <= u + EPSILON, what + ", u " + u + ": too late");
        assertTrue(after / kept >= u - EPSILON, what + ", u " + u + ": too early");
    }

    @Test
    void ofAllEqualsTheFirstKAreDrawnAlike() {
        float[] x = new float[151_936];
        int[] drawn = new int[300];
        for (int i = 0; i < drawn.length; i++) {
            double u = (i + 0.5) / drawn.length;
            drawn[nucleus.draw(x, x.length, 0, drawn.length, 1, 1, u)]++;
        }
        for (int count : drawn) assertEquals(1, count);
    }
}
