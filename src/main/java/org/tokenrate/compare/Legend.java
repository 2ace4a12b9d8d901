package org.tokenrate.compare;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The sentences that stand beside every form of the table. */
final class Legend {
    private Legend() {}

    /** E.g. {@code 27 figures in 3 rows: 2 slower, 25 no difference seen}. */
    static String summary(Comparison c) {
        String counts =
                Arrays.stream(Verdict.values())
                        .filter(v -> c.count(v) > 0)
                        .map(v -> c.count(v) + " " + v.words())
                        .collect(joining(", "));
        return "%s in %s: %s"
                .formatted(
                        plural(c.outcomes().size(), "figure"),
                        plural(c.rows().size(), "row"),
                        counts.isEmpty() ? "none measured on both sides" : counts);
    }

    static String row(Comparison.Row r) {
        return "base %s, %s; candidate %s, %s"
                .formatted(
                        plural(r.baseForks(), "fork"),
                        plural(r.baseIterations(), "iteration"),
                        plural(r.candidateForks(), "fork"),
                        plural(r.candidateIterations(), "iteration"));
    }

    static List<String> method() {
        return List.of(
                "A figure is the median over forks of the medians over their iterations.",
                String.format(
                        Locale.ROOT,
                        "95 %% interval of the change: bootstrap over forks and iterations, %,d"
                                + " resamples.",
                        Bootstrap.RESAMPLES),
                "p: Mann-Whitney over forks, corrected for all figures (Benjamini-Hochberg).",
                "(from 2.1 %): the smallest change that these forks show four times in five.",
                "(5 of 7): has 5 forks, and a change in this figure alone needs 7 to be seen.");
    }

    /** What has no partner and what else there is to know. */
    static List<String> warnings(Comparison c) {
        var lines = new ArrayList<String>();
        for (String d : c.differences()) lines.add("NOT ALIKE: " + d);
        for (String label : c.onlyBase()) lines.add("only in the base: " + label);
        for (String label : c.onlyCandidate()) lines.add("only in the candidate: " + label);
        lines.addAll(c.notes());
        return lines.stream().map(Format::plain).toList();
    }

    static String plural(int count, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
    }
}
