package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;

class SampleTest {
    private static final int DRAWS = 20_000;
    private static final int ROWS = 500;
    private static final int[] NO_BLOCKS = {};

    /** Expected counts below this are lumped together: chi-square wants no rarer cells. */
    private static final double RARE = 8;

    private static final long[] EXTREME_SEEDS = {
        0, 1, -1, 0x61c8864680b583ebL, Long.MIN_VALUE, Long.MAX_VALUE
    };

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 15, 16, 17, 64, 100, 301})
    void theFirstOfTheLargestIsChosen(int n) {
        long seed = n;
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            float[] x = new float[n + 1];
            for (int i = 0; i < n; i++) x[i] = random.nextInt(7) - 9f;
            x[n] = 100; // behind the end
            int expected = 0;
            for (int i = 1; i < n; i++) if (x[i] > x[expected]) expected = i;
            assertEquals(expected, Sample.argmax(x, n), "seed " + seed);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 40})
    void logitsThatAreNotNumbersAreRefusedWhereverTheyStand(int n) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            for (int at = 0; at < n; at++) {
                float[] x = new float[n];
                for (int i = 0; i < n; i++) x[i] = i;
                x[at] = bad;
                assertRefused(x);
            }
            float[] all = new float[n];
            Arrays.fill(all, bad);
            assertRefused(all);
        }
        float[] nothingIsPossible = new float[n];
        Arrays.fill(nothingIsPossible, Float.NEGATIVE_INFINITY);
        assertRefused(nothingIsPossible);
    }

    private static void assertRefused(float[] x) {
        assertEquals(
                "the model's logits are not finite numbers: its weights or this engine are broken",
                assertThrows(
                                IllegalStateException.class,
                                () -> Sample.argmax(x, x.length),
                                () -> Arrays.toString(x))
                        .getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "50, 0, 1, 1",
        "50, 0, 1, 0.3",
        "50, 5, 1, 1",
        "50, 2, 1, 3",
        "50, 0, 0.8, 1",
        "50, 40, 0.9, 0.7",
        "50, 400, 1, 1",
        "2000, 0, 0.9, 1",
        "2000, 700, 1, 4",
        "300, 256, 1, 2",
        "300, 257, 1, 2",
        "300, 280, 0.95, 1.3",
        "300, 0, 0.5, 5",
        "50, 0, 1, 100",
        "3, 0, 1, 1",
    })
    void drawsFollowTheDistribution(int vocabulary, int topK, float topP, float temperature) {
        long seed = 11;
        Random random = new Random(seed);
        float[] logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) logits[i] = (float) (2 * random.nextGaussian());
        logits[vocabulary - 1] = logits[0]; // a tie: of equals, the smaller id is the likelier
        double[] expected = distribution(logits, topK, topP, temperature);
        int[] count = new int[vocabulary];
        for (int token : draw(logits, topK, topP, temperature, seed)) count[token]++;

        double chiSquare = 0;
        int cells = 0;
        double rareExpected = 0;
        int rareCount = 0;
        for (int i = 0; i < vocabulary; i++) {
            double mean = expected[i] * DRAWS;
            if (mean == 0) assertEquals(0, count[i], "token " + i + " is not among the kept");
            if (mean < RARE) {
                rareExpected += mean;
                rareCount += count[i];
            } else {
                chiSquare += Math.pow(count[i] - mean, 2) / mean;
                cells++;
            }
        }
        if (rareExpected > 0) {
            chiSquare += Math.pow(rareCount - rareExpected, 2) / Math.max(rareExpected, 1);
            cells++;
        }
        double bound = cells + 5 * Math.sqrt(2 * cells) + 5;
        assertTrue(chiSquare < bound, chiSquare + " is above " + bound + ", seed " + seed);
    }

    /** The definition: the likeliest k, of them the fewest that reach p, in proportion. */
    private static double[] distribution(float[] logits, int topK, float topP, double temperature) {
        Integer[] order = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparing((Integer i) -> -logits[i]).thenComparing(i -> i));
        int kept = topK == 0 ? logits.length : Math.min(topK, logits.length);
        double[] weight = new double[logits.length];
        double total = 0;
        for (int i = 0; i < kept; i++) {
            total +=
                    weight[order[i]] =
                            Math.exp((logits[order[i]] - logits[order[0]]) / temperature);
        }
        double nucleus = 0;
        for (int i = 0; i < kept; i++) {
            if (nucleus >= topP * total) weight[order[i]] = 0;
            nucleus += weight[order[i]];
        }
        for (int i = 0; i < weight.length; i++) weight[i] /= nucleus;
        return weight;
    }

    /** Tokens at positions 1 to DRAWS of a sequence whose logits never change. */
    private static int[] draw(float[] logits, int topK, float topP, float temperature, long seed) {
        int[] drawn = new int[DRAWS];
        int[] sequence = new int[DRAWS];
        int[] chosen = new int[ROWS];
        CpuTensor rows = new CpuTensor(ROWS, logits.length, DType.F32);
        for (int row = 0; row < ROWS; row++) rows.put(row, 0, logits, 0, logits.length);
        Batch batch = new Batch(ROWS, ROWS);
        Sample sample = new Sample(2);
        try (Team team = new Team(2)) {
            for (int first = 0; first < DRAWS; first += ROWS) {
                batch.clear();
                for (int row = 0; row < ROWS; row++) {
                    batch.add(sequence, first + row, first + row + 1, first + row + 1, NO_BLOCKS);
                    batch.sampleNext(topK, topP, temperature, seed);
                }
                sample.run(team, rows, batch, chosen);
                System.arraycopy(chosen, 0, drawn, first, ROWS);
            }
        }
        rows.free();
        return drawn;
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "0, 1, 0", "0, 1e-6, 1", "0, 1.4e-45, 1", "7, 1e-9, 5", "0, 1, 1e-6"})
    void onlyTheLikeliestIsLeft(int topK, float topP, float temperature) {
        float[] logits = {0, 1, 3, 2, 2.9f};
        int[] expected = new int[DRAWS];
        Arrays.fill(expected, 2);
        assertArrayEquals(expected, draw(logits, topK, topP, temperature, 3));
    }

    @Test
    void tokensOfNoProbabilityAreNeverDrawn() {
        float[] logits = {Float.NEGATIVE_INFINITY, 1, Float.NEGATIVE_INFINITY, 1};
        for (int token : draw(logits, 0, 1, 100, 3)) assertEquals(1, token % 2);
    }

    @Test
    void aDrawDoesNotDependOnTheBatchThatItIsMadeIn() {
        float[] logits = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f};
        int[] together = draw(logits, 0, 1, 1, 17);
        CpuTensor row = new CpuTensor(1, logits.length, DType.F32);
        row.put(0, 0, logits, 0, logits.length);
        Batch batch = new Batch(1, 1);
        int[] chosen = new int[1];
        try (Team alone = new Team(1)) {
            for (int position = 0; position < 1000; position++) {
                batch.clear();
                batch.add(new int[DRAWS], position, position + 1, 1, NO_BLOCKS);
                batch.sampleNext(0, 1, 1, 17);
                new Sample(1).run(alone, row, batch, chosen);
                assertEquals(together[position], chosen[0], "position " + position);
            }
        }
        row.free();
    }

    @Test
    void uniformNumbersFillTheRangeFromZeroToOneExclusive() {
        for (long seed : EXTREME_SEEDS) {
            int[] tenth = new int[10];
            for (int position = 0; position < DRAWS; position++) {
                double u = Sample.uniform(seed, position);
                assertTrue(u >= 0 && u < 1, u + " of seed " + seed + " at " + position);
                tenth[(int) (10 * u)]++;
            }
            for (int count : tenth) {
                // Six standard deviations of a binomial count.
                assertEquals(DRAWS / 10.0, count, 6 * Math.sqrt(DRAWS * 0.09), "seed " + seed);
            }
        }
    }
}
