package org.tokenrate.history;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.compare.BenjaminiHochberg;

/**
 * The changes of many series at once. Which series change at all is decided by the first step of
 * each, corrected for their number by Benjamini and Hochberg. Further steps of a series that
 * changes must be as unlikely as its first one had to be (Benjamini and Bogomolov, Journal of the
 * Royal Statistical Society B 76, 2014).
 *
 * @param changes of the series, in the order of its points
 * @param needed how many points the series needs for a change of it alone to be seen; 0 if it has
 *     them
 */
record Detection(List<Change> changes, int needed) {
    /** The share of series called changed that may be so by chance. */
    static final double LEVEL = 0.05;

    /**
     * A change that is not chance.
     *
     * @param at index of the first point of the new level
     * @param p of the search in this series alone
     * @param adjustedP corrected for the number of series; at most {@link #LEVEL}
     */
    record Change(int at, double p, double adjustedP) {}

    /** In the order of the series. */
    static List<Detection> of(List<double[]> series, NullDistribution chance) {
        var search = new ChangeSearch(chance);
        List<List<ChangeSearch.Step>> steps =
                series.stream().map(s -> search.steps(s, LEVEL)).toList();

        // Series too short for any change to show are no tests; their length says so, not their
        // values.
        var tested = new ArrayList<Integer>();
        for (int i = 0; i < series.size(); i++) {
            if (chance.smallestP(series.get(i).length) <= LEVEL) tested.add(i);
        }
        var correction =
                new BenjaminiHochberg(
                        tested.stream().mapToDouble(i -> steps.get(i).get(0).p()).toArray());
        double[] adjusted = correction.adjusted();
        int changed = 0;
        for (double p : adjusted) if (p <= LEVEL) changed++;
        double factor = (double) tested.size() / Math.max(1, changed);

        var all = new ArrayList<Detection>();
        int test = 0;
        for (int i = 0; i < series.size(); i++) {
            boolean isTested = test < tested.size() && tested.get(test) == i;
            double limit = isTested ? correction.limit(test, LEVEL) : LEVEL;
            boolean changes = isTested && adjusted[test++] <= LEVEL;
            boolean enough = chance.smallestP(series.get(i).length) <= limit;
            all.add(
                    new Detection(
                            changes ? changes(steps.get(i), factor) : List.of(),
                            changes || enough ? 0 : chance.needed(limit)));
        }
        return all;
    }

    private static List<Change> changes(List<ChangeSearch.Step> steps, double factor) {
        return steps.stream()
                .map(s -> new Change(s.at(), s.p(), Math.min(1, s.p() * factor)))
                .filter(c -> c.adjustedP <= LEVEL)
                .sorted((a, b) -> Integer.compare(a.at, b.at))
                .toList();
    }
}
