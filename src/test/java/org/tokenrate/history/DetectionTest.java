package org.tokenrate.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DetectionTest {
    private final NullDistribution chance = new NullDistribution();

    @Test
    void pIsThatOfAllOrdersOfSixPoints() {
        // Of 720 orders, those whose only split, three and three, is as large as the sorted one's.
        double[] scores = NormalScores.ascending(6);
        double largest = new Windows(6).best(scores).statistic();
        int as = 0;
        int all = 0;
        for (int mask = 0; mask < 64; mask++) {
            if (Integer.bitCount(mask) != 3) continue;
            all++;
            double left = 0;
            for (int i = 0; i < 6; i++) if ((mask >> i & 1) == 1) left += scores[i];
            if (Math.pow(2 * left / 3, 2) * 1.5 / NormalScores.variance(scores) > largest - 1e-9) {
                as++;
            }
        }
        double exact = (double) as / all;
        assertEquals(0.1, exact, 1e-12);
        double sd = Math.sqrt(exact * (1 - exact) / NullDistribution.PERMUTATIONS);
        assertEquals(exact, chance.smallestP(6), 4 * sd);
    }

    @Test
    void linesWithoutAChangeAreSaidToHaveOneNoMoreOftenThanTheLevelAllows() {
        int series = 600;
        for (Noise noise : Noise.values()) {
            if (!noise.isIndependent()) continue;
            for (int n : new int[] {8, 20, 60}) {
                int alarms = 0;
                for (int i = 0; i < series; i++) {
                    if (!changes(noise.series(n, new SplittableRandom(i * 7919L))).isEmpty()) {
                        alarms++;
                    }
                }
                double sd = Math.sqrt(0.05 * 0.95 / series);
                assertTrue(
                        (double) alarms / series <= 0.05 + 3 * sd, noise + " " + n + ": " + alarms);
            }
        }
    }

    @Test
    void theCorrectionHoldsOverManyLinesTogether() {
        int histories = 200;
        int alarms = 0;
        for (int h = 0; h < histories; h++) {
            var random = new SplittableRandom(h);
            var lines = new ArrayList<double[]>();
            for (int i = 0; i < 40; i++) lines.add(Noise.NORMAL.series(20, random));
            if (Detection.of(lines, chance).stream().anyMatch(d -> !d.changes().isEmpty())) {
                alarms++;
            }
        }
        double sd = Math.sqrt(0.05 * 0.95 / histories);
        assertTrue((double) alarms / histories <= 0.05 + 3 * sd, alarms + " of " + histories);
    }

    @Test
    void oneLineThatChangesIsFoundAmongManyThatDoNot() {
        var random = new SplittableRandom(11);
        var lines = new ArrayList<double[]>();
        for (int i = 0; i < 100; i++) lines.add(Noise.NORMAL.series(40, random));
        for (int i = 25; i < 40; i++) lines.get(70)[i] *= 1.05;
        List<Detection> all = Detection.of(lines, chance);
        for (int i = 0; i < all.size(); i++) {
            int[] at = all.get(i).changes().stream().mapToInt(Detection.Change::at).toArray();
            assertEquals(i == 70 ? "[25]" : "[]", Arrays.toString(at), "line " + i);
        }
        Detection.Change c = all.get(70).changes().get(0);
        assertTrue(c.adjustedP() >= c.p() && c.adjustedP() <= 0.05, c.toString());
    }

    @Test
    void aRegressionAndItsRepairAreBothFoundWhereTheyAre() {
        double[] series = Noise.NORMAL.series(60, new SplittableRandom(3));
        for (int i = 20; i < 40; i++) series[i] *= 0.9;
        assertEquals(List.of(20, 40), changes(series).stream().map(Detection.Change::at).toList());
    }

    @Test
    void oneWildPointIsNoChangeAndHidesNone() {
        double[] series = Noise.NORMAL.series(30, new SplittableRandom(5));
        series[20] *= 50;
        assertEquals(List.of(), changes(series));
        for (int i = 15; i < 30; i++) series[i] *= 1.1;
        assertEquals(List.of(15), changes(series).stream().map(Detection.Change::at).toList());
    }

    @Test
    void valuesWithoutNoiseHaveTheChangesThatOneSees() {
        double[] constant = IntStream.range(0, 30).mapToDouble(i -> 5).toArray();
        assertEquals(List.of(), changes(constant));
        double[] wild = constant.clone();
        wild[12] = 6;
        assertEquals(List.of(), changes(wild));
        double[] step = IntStream.range(0, 30).mapToDouble(i -> i < 12 ? 5 : 6).toArray();
        assertEquals(List.of(12), changes(step).stream().map(Detection.Change::at).toList());
    }

    @Test
    void tooFewPointsAreSaidToBeWithTheNumberNeeded() {
        double[] seven = {1, 1.01, 1.02, 2, 2.01, 2.02, 2.03};
        Detection d = Detection.of(List.of(seven), chance).get(0);
        assertEquals(new Detection(List.of(), 8), d);
        double[] eight = {1, 1.01, 1.02, 1.03, 2, 2.01, 2.02, 2.03};
        assertEquals(List.of(4), changes(eight).stream().map(Detection.Change::at).toList());
        for (int n = 0; n < 8; n++) {
            double[] series = IntStream.range(0, n).mapToDouble(i -> 1 + i).toArray();
            assertEquals(8, Detection.of(List.of(series), chance).get(0).needed(), n + " points");
        }
    }

    @Test
    void theSameSeriesGiveTheSameDetection() {
        var lines = List.of(Noise.SKEWED.series(90, new SplittableRandom(1)), new double[] {1, 2});
        assertEquals(Detection.of(lines, new NullDistribution()), Detection.of(lines, chance));
    }

    private List<Detection.Change> changes(double[] series) {
        return Detection.of(List.of(series), chance).get(0).changes();
    }
}
