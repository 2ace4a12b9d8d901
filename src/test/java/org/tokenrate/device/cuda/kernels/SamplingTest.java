package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class SamplingTest extends OnGpu {
    /**
     * How far a running sum of probabilities, relative to the whole, may be from where doubles have
     * it: an exponent of up to 64 rounded to f32, an exponential within 2 units, integers of 2^-44.
     */
    private static final double ERROR = 70 * Math.scalb(1.0, -24);

    private record Row(
            float[] logits, int topK, float topP, float temperature, long seed, int position) {}

    @Test
    void greedyTakesTheFirstOfTheLargest() {
        Random random = random();
        for (int vocabulary : new int[] {1, 2, 1023, 1024, 1025, 40_001}) {
            float[] logits = logits(random, vocabulary);
            for (int i = 0; i < 5; i++) logits[random.nextInt(vocabulary)] = 50;
            int expected = 0;
            while (logits[expected] != largest(logits)) expected++;
            int[] chosen =
                    sample(1, new Row(logits, 1, 0.5f, 1, 3, 4), new Row(logits, 0, 1, 0, 3, 4));
            assertEquals(expected, chosen[0], "top-k 1, seed " + SEED);
            assertEquals(expected, chosen[1], "temperature 0, seed " + SEED);
        }
    }

    @Test
    void zerosOfEitherSignAreEqualToGreedy() {
        assertEquals(0, sample(1, new Row(new float[] {-0f, 0f, -1}, 1, 1, 1, 0, 0))[0]);
    }

    @Test
    void logitsThatAreNoNumbersAreRefused() {
        float[] nan = {1, Float.NaN, 3};
        float[] infinite = {1, Float.POSITIVE_INFINITY, 3};
        float[] none = new float[1500];
        Arrays.fill(none, Float.NEGATIVE_INFINITY);
        float[] lateNan = new float[1500];
        lateNan[1400] = Float.NaN;
        for (float[] logits : List.of(nan, infinite, none, lateNan)) {
            assertEquals(-1, sample(1, new Row(logits, 1, 1, 1, 0, 0))[0]);
            assertEquals(-1, sample(1, new Row(logits, 0, 0.5f, 1, 0, 0))[0]);
        }
        float[] some = {1, Float.NEGATIVE_INFINITY, 3};
        assertEquals(2, sample(1, new Row(some, 2, 0.5f, 1, 0, 0))[0]);
    }

    @Test
    void drawsAreThoseOfASortedRow() {
        Random random = random();
        for (int vocabulary : new int[] {2, 500, 1500, 32_000}) {
            int n = vocabulary > 10_000 ? 6 : 40;
            Row[] rows = new Row[n];
            for (int i = 0; i < n; i++) rows[i] = randomRow(random, logits(random, vocabulary));
            checkDraws(rows, 1);
        }
    }

    @Test
    void equalLogitsAreDrawnInTheOrderOfTheirIds() {
        Random random = random();
        Row[] rows = new Row[60];
        for (int i = 0; i < rows.length; i++) {
            float[] logits = new float[2 + random.nextInt(3000)];
            int levels = 1 + random.nextInt(4);
            for (int t = 0; t < logits.length; t++) logits[t] = random.nextInt(levels) * 0.5f - 1;
            rows[i] = randomRow(random, logits);
        }
        for (Row row : rows) checkDraws(new Row[] {row}, 1);
    }

    @Test
    void aVocabularySplitOverRanksIsSampledAsOne() {
        Random random = random();
        for (int shards : new int[] {2, 3, 8}) {
            Row[] rows = new Row[8];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = randomRow(random, logits(random, 1001));
            }
            rows[0] = new Row(rows[0].logits, 1, 1, 1, 0, 0);
            checkDraws(rows, shards);
        }
    }

    @Test
    void theLargestVocabularyFits() {
        Random random = random();
        checkDraws(new Row[] {randomRow(random, logits(random, 152_064))}, 1);
    }

    private static void checkDraws(Row[] rows, int shards) {
        int[] chosen = sample(shards, rows);
        for (int i = 0; i < rows.length; i++) {
            Row row = rows[i];
            assertTrue(
                    mayBe(row, chosen[i]),
                    "%d of %d, top-k %d, top-p %s, temperature %s (seed %d)"
                            .formatted(
                                    chosen[i],
                                    row.logits.length,
                                    row.topK,
                                    row.topP,
                                    row.temperature,
                                    SEED));
        }
    }

    /** Whether a token is the one that sorting and summing in doubles chooses, up to rounding. */
    private static boolean mayBe(Row row, int token) {
        float[] x = row.logits;
        float largest = largest(x);
        if (row.topK == 1) return x[token] == largest;
        Integer[] order = IntStream.range(0, x.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, (a, b) -> x[a] != x[b] ? Float.compare(x[b], x[a]) : a - b);
        int kept = row.topK == 0 ? x.length : Math.min(row.topK, x.length);
        double[] upTo = new double[kept]; // sum of probabilities, relative to the largest
        double sum = 0;
        for (int i = 0; i < kept; i++) {
            sum += Math.exp((x[order[i]] - largest) / (double) row.temperature);
            upTo[i] = sum;
        }
        double slack = ERROR * sum;
        double u = uniform(row.seed, row.position);
        // The nucleus ends at one of these, the draw at one of those of each.
        for (int end = 0; end < kept; end++) {
            double before = end == 0 ? 0 : upTo[end - 1];
            boolean last = end == kept - 1;
            if (upTo[end] < row.topP * sum - slack && !last) continue;
            if (before > row.topP * sum + slack) break;
            double target = u * upTo[end];
            for (int i = 0; i <= end; i++) {
                boolean reached = upTo[i] >= target - slack;
                boolean needed = (i == 0 ? 0 : upTo[i - 1]) <= target + slack;
                if (reached && needed && order[i] == token) return true;
            }
        }
        return false;
    }

    /** Java's SplittableRandom mixes the same way: SplitMix64, published 2014. */
    private static double uniform(long seed, int position) {
        long z = mix(seed + 0x9e3779b97f4a7c15L) + position * 0x9e3779b97f4a7c15L;
        return (mix(z) >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    private static Row randomRow(Random random, float[] logits) {
        int[] topKs = {0, 2, 40, 300, 100_000};
        float[] topPs = {1e-6f, 0.3f, 0.8f, 1};
        return new Row(
                logits,
                topKs[random.nextInt(topKs.length)],
                topPs[random.nextInt(topPs.length)],
                0.1f + random.nextFloat() * 2,
                random.nextLong(),
                random.nextInt(100_000));
    }

    private static float[] logits(Random random, int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) x[i] = (float) random.nextGaussian() * 3;
        return x;
    }

    private static float largest(float[] x) {
        float largest = Float.NEGATIVE_INFINITY;
        for (float v : x) largest = Math.max(largest, v);
        return largest;
    }

    private static int[] sample(int shards, Row... rows) {
        int n = rows.length;
        int vocabulary = rows[0].logits.length;
        int columns = (vocabulary + shards - 1) / shards;
        long shardElements = (long) n * columns + 5;
        float[] all = new float[(int) (shards * shardElements)];
        Arrays.fill(all, Float.NaN);
        int[] topK = new int[n];
        float[] topP = new float[n];
        float[] temperature = new float[n];
        int[] seed = new int[2 * n];
        int[] position = new int[n];
        for (int i = 0; i < n; i++) {
            for (int id = 0; id < vocabulary; id++) {
                int at = (int) (id / columns * shardElements) + i * columns + id % columns;
                all[at] = rows[i].logits[id];
            }
            topK[i] = rows[i].topK;
            topP[i] = rows[i].topP;
            temperature[i] = rows[i].temperature;
            seed[2 * i] = (int) rows[i].seed;
            seed[2 * i + 1] = (int) (rows[i].seed >>> 32);
            position[i] = rows[i].position;
        }
        Gpu.Buffer chosen = gpu.unwritten(4L * n);
        gpu.launch(
                "sampling.cu",
                List.of(Element.F16.option()),
                "sample",
                new Gpu.Grid(n),
                1024,
                gpu.floats(all),
                vocabulary,
                shards,
                shardElements,
                gpu.ints(topK),
                gpu.floats(topP),
                gpu.floats(temperature),
                gpu.ints(seed),
                gpu.ints(position),
                chosen);
        int[] read = gpu.readInts(chosen);
        gpu.free();
        return read;
    }
}
