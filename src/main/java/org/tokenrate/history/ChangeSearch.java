package org.tokenrate.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Finds where the level of a series changes: E-divisive with means (Matteson and James, Journal of
 * the American Statistical Association 109, 2014) on normal scores, as it splits the series where
 * the means of both sides differ most, then the parts, until no split is larger than chance makes
 * it.
 *
 * <p>Each step is one test: the most unlikely split of all parts, corrected for the number of parts
 * (Šidák). The search ends with the first that is not significant, so a series without a change has
 * one at all with no more than the level's chance, however long it is.
 */
final class ChangeSearch {
    /** A series' first points, or those after a change, to the next one. */
    private record Part(int from, int to, int at, double statistic, double p) {
        boolean isTestable() {
            return to - from >= 2 * Windows.SHORTEST_LEVEL;
        }
    }

    /**
     * One change found.
     *
     * @param at index of the first point of the new level
     * @param p of this step, or of an earlier one if that is larger
     */
    record Step(int at, double p) {}

    private static final Comparator<Part> LIKELIEST_CHANGE =
            Comparator.comparingDouble(Part::p)
                    .thenComparing(Comparator.comparingDouble(Part::statistic).reversed());

    private final NullDistribution chance;

    ChangeSearch(NullDistribution chance) {
        this.chance = chance;
    }

    /**
     * @param level the search ends with the first step of a larger p
     * @return in the order in which they were found, the p of the first step first, whether or not
     *     it is under the level; empty only for a series of too few points to split
     */
    List<Step> steps(double[] values, double level) {
        var steps = new ArrayList<Step>();
        var parts = new ArrayList<Part>(List.of(part(values, 0, values.length)));
        double p = 0;
        while (true) {
            List<Part> testable = parts.stream().filter(Part::isTestable).toList();
            if (testable.isEmpty()) return steps;
            Part best = testable.stream().min(LIKELIEST_CHANGE).orElseThrow();
            p = Math.max(p, -Math.expm1(testable.size() * Math.log1p(-best.p)));
            if (p > level && !steps.isEmpty()) return steps;
            steps.add(new Step(best.at, p));
            if (p > level) return steps;
            parts.remove(best);
            parts.add(part(values, best.from, best.at));
            parts.add(part(values, best.at, best.to));
        }
    }

    private Part part(double[] values, int from, int to) {
        int n = to - from;
        if (n < 2 * Windows.SHORTEST_LEVEL) return new Part(from, to, from, 0, 1);
        double[] scores = NormalScores.of(Arrays.copyOfRange(values, from, to));
        Windows.Split split = chance.windows(n).best(scores);
        return new Part(
                from,
                to,
                from + split.at(),
                split.statistic(),
                chance.p(split.statistic(), scores));
    }
}
