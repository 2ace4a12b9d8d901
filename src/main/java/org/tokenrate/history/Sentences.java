package org.tokenrate.history;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.tokenrate.compare.Format;

/** What stands beside every form of a history. */
final class Sentences {
    private Sentences() {}

    static String summary(History h) {
        int changes = h.changes().size();
        return "%s of %s in %s: %s of %s"
                .formatted(
                        plural(h.runs(), "run"),
                        plural(h.states().size(), "state"),
                        h.results(),
                        plural(changes, "change"),
                        plural(h.lines().size(), "line"));
    }

    /** Which lines are too short to say anything of, by how many points they have and need. */
    static List<String> tooFew(History h) {
        Map<String, Integer> lines = new TreeMap<>();
        for (Line l : h.lines()) {
            if (l.needed() == 0) continue;
            lines.merge("%d of %d".formatted(l.points().size(), l.needed()), 1, Integer::sum);
        }
        return lines.entrySet().stream()
                .map(
                        e ->
                                "%s too few points to show a change (%s needed)"
                                        .formatted(
                                                plural(e.getValue(), "line")
                                                        + (e.getValue() == 1 ? " has" : " have"),
                                                e.getKey()))
                .toList();
    }

    static List<String> method() {
        return List.of(
                "A point is the median over forks of the medians over their iterations, all runs of a"
                        + " commit together.",
                "Changes: E-divisive with means on normal scores of ranks; p by permutation,"
                        + " corrected for all lines (Benjamini-Hochberg); at most 0.05 is a change.",
                "A change shows from the third point after it on. Before and after are medians of the"
                        + " levels on both sides.",
                "A line is of one machine, JVM, model, dataset and settings: nothing is concluded"
                        + " across a break.");
    }

    /** E.g. {@code out tok/s slower by 12.3 %, 7,356.2 to 6,451.0 (p 0.0004)}. */
    static String change(Line line, ChangePoint c) {
        return "%s %s: %s, %s to %s (p %s)"
                .formatted(
                        line.figure().label(),
                        line.word(c),
                        Format.change(c.change()),
                        Format.value(line.figure(), c.before()),
                        Format.value(line.figure(), c.after()),
                        Format.p(c.adjustedP()));
    }

    static String plural(int count, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
    }
}
