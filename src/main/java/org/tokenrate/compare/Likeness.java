package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tokenrate.report.Metric;

/**
 * Whether two sides differ in nothing but the commit.
 *
 * @param differences in sentences
 * @param notes what could not be told
 */
record Likeness(List<String> differences, List<String> notes) {
    /** Equal wherever the same requests were answered. */
    private static final List<Metric> WORK =
            List.of(Metric.PROMPTS, Metric.PROMPT_TOKENS, Metric.GENERATED_TOKENS);

    /** A long command line in full helps nobody. */
    private static final int LONGEST_VALUE = 120;

    static Likeness of(Matching matching, Side base, Side candidate, Set<String> across) {
        var differences = new ArrayList<>(facts(matching, across));
        for (Matching.Pair pair : matching.pairs()) {
            failures(pair, differences);
            work(pair, differences);
        }
        var notes = new ArrayList<>(matching.notes());
        notes.addAll(withoutRecord("base", base));
        notes.addAll(withoutRecord("candidate", candidate));
        return new Likeness(List.copyOf(differences), List.copyOf(notes));
    }

    /** One sentence a fact and pair of values, however many rows have it. */
    private static Set<String> facts(Matching matching, Set<String> across) {
        var sentences = new TreeSet<String>();
        for (Matching.Pair pair : matching.pairs()) {
            Map<String, Set<String>> ofBase = pair.base().facts();
            Map<String, Set<String>> ofCandidate = pair.candidate().facts();
            for (String fact : ofBase.keySet()) {
                if (!ofCandidate.containsKey(fact)) continue;
                if (across.stream().anyMatch(p -> Circumstances.followsFrom(p, fact))) continue;
                var all = new TreeSet<>(ofBase.get(fact));
                all.addAll(ofCandidate.get(fact));
                if (all.size() == 1) continue;
                sentences.add(
                        "%s differs: base %s; candidate %s"
                                .formatted(
                                        fact, text(ofBase.get(fact)), text(ofCandidate.get(fact))));
            }
        }
        return sentences;
    }

    private static void failures(Matching.Pair pair, List<String> differences) {
        Map<String, Long> failed = new TreeMap<>();
        failed.put("base", pair.base().failed());
        failed.put("candidate", pair.candidate().failed());
        failed.forEach(
                (side, count) -> {
                    if (count == 0) return;
                    differences.add(
                            "%,d requests of the %s failed with %s, and are in no figure"
                                    .formatted(count, side, pair.label()));
                });
    }

    private static void work(Matching.Pair pair, List<String> differences) {
        if (pair.base().failed() + pair.candidate().failed() > 0) return;
        for (Metric m : WORK) {
            Set<Double> ofBase = pair.base().ofOneWorkload(m);
            Set<Double> ofCandidate = pair.candidate().ofOneWorkload(m);
            if (ofBase.isEmpty() || ofCandidate.isEmpty()) continue;
            if (ofBase.equals(ofCandidate) && ofBase.size() == 1) continue;
            differences.add(
                    "%s differ with %s: base %s; candidate %s"
                            .formatted(m.name(), pair.label(), range(ofBase), range(ofCandidate)));
        }
    }

    private static List<String> withoutRecord(String which, Side side) {
        return side.runs().stream()
                .filter(r -> !r.hasRecord())
                .map(
                        r ->
                                "no run.json beside %s of the %s: its machine is not known"
                                        .formatted(r.file(), which))
                .toList();
    }

    private static String text(Set<String> values) {
        String all = String.join(" and ", values);
        if (all.isEmpty()) return "none";
        return all.length() <= LONGEST_VALUE ? all : all.substring(0, LONGEST_VALUE) + "...";
    }

    private static String range(Set<Double> values) {
        var sorted = new TreeSet<>(values);
        String low = Format.number(sorted.first(), 0);
        return sorted.size() == 1 ? low : low + " to " + Format.number(sorted.last(), 0);
    }
}
