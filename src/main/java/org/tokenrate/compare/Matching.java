package org.tokenrate.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rows of two sides, brought together by their parameters.
 *
 * @param pairs rows that both have
 * @param onlyBase the labels of rows without a partner
 * @param onlyCandidate likewise
 * @param notes what was passed over to match them
 */
record Matching(
        List<Pair> pairs, List<String> onlyBase, List<String> onlyCandidate, List<String> notes) {

    /**
     * @param label the parameters that vary from row to row, e.g. {@code concurrency=16}
     */
    record Pair(String label, Row base, Row candidate) {

        /** Not even by force: a CPU that plays a GPU has no times to compare. */
        private void requireDevices() throws IOException {
            requireDevice("base", base);
            requireDevice("candidate", candidate);
        }

        private void requireDevice(String side, Row row) throws IOException {
            for (Run.Entry e : row.entries()) {
                if (!e.result().isOfSoftwareGpu()) continue;
                throw new IOException(
                        "the %s was measured on %s with %s: its times are a CPU's and say nothing of any GPU; measure on a device"
                                .formatted(side, e.result().info("device"), label));
            }
        }
    }

    /**
     * @param across parameters that may differ between the sides
     * @throws IOException if no row has a partner, several rows have the same one, or one is of the
     *     software GPU, in one sentence
     */
    static Matching of(Side base, Side candidate, Set<String> across) throws IOException {
        Set<String> ofBase = names(base);
        Set<String> ofCandidate = names(candidate);
        var notes = new ArrayList<String>();
        var key = new TreeSet<>(ofBase);
        key.retainAll(ofCandidate);
        var oneSided = new TreeSet<>(ofBase);
        oneSided.addAll(ofCandidate);
        oneSided.removeAll(key);
        for (String name : oneSided) {
            String side = ofBase.contains(name) ? "base" : "candidate";
            notes.add("only the " + side + " knows the parameter " + name + "; it was passed over");
        }
        for (String name : across) {
            if (key.remove(name) || oneSided.contains(name)) continue;
            throw new IOException(
                    "'%s' is no parameter of these results; they have %s"
                            .formatted(name, String.join(", ", key)));
        }
        Map<Map<String, String>, Row> baseRows = rows(base, key);
        Map<Map<String, String>, Row> candidateRows = rows(candidate, key);
        var all = new ArrayList<>(baseRows.keySet());
        all.addAll(candidateRows.keySet());
        Set<String> varying = RowLabels.varying(all);

        var pairs = new ArrayList<Pair>();
        baseRows.forEach(
                (k, row) -> {
                    Row partner = candidateRows.get(k);
                    if (partner != null)
                        pairs.add(new Pair(RowLabels.label(k, varying), row, partner));
                });
        if (pairs.isEmpty()) throw nothingInCommon(baseRows, candidateRows, varying);
        for (Pair pair : pairs) pair.requireDevices();
        return new Matching(
                List.copyOf(pairs),
                without(baseRows, candidateRows, varying),
                without(candidateRows, baseRows, varying),
                List.copyOf(notes));
    }

    private static Set<String> names(Side side) {
        var names = new TreeSet<String>();
        for (Run run : side.runs()) {
            for (Run.Entry e : run.entries()) names.addAll(e.result().params().keySet());
        }
        return names;
    }

    private static Map<Map<String, String>, Row> rows(Side side, Set<String> key)
            throws IOException {
        var rows = new LinkedHashMap<Map<String, String>, Row>();
        for (Run run : side.runs()) {
            for (Run.Entry e : run.entries()) {
                var k = new TreeMap<>(e.result().params());
                k.keySet().retainAll(key);
                Row row =
                        rows.computeIfAbsent(
                                k, n -> new Row(e.result().params(), new ArrayList<>()));
                if (!row.params().equals(e.result().params())) {
                    throw new IOException(
                            "%s has several rows for one of the other side: %s and %s; name fewer parameters with --across"
                                    .formatted(side.name(), row.params(), e.result().params()));
                }
                row.entries().add(e);
            }
        }
        var sorted = new TreeMap<Map<String, String>, Row>(RowLabels.BY_VALUES);
        sorted.putAll(rows);
        return sorted;
    }

    private static List<String> without(
            Map<Map<String, String>, Row> rows,
            Map<Map<String, String>, Row> others,
            Set<String> varying) {
        return rows.keySet().stream()
                .filter(k -> !others.containsKey(k))
                .map(k -> RowLabels.label(k, varying))
                .toList();
    }

    private static IOException nothingInCommon(
            Map<Map<String, String>, Row> base,
            Map<Map<String, String>, Row> candidate,
            Set<String> varying) {
        return new IOException(
                "no row of the base has the parameters of one of the candidate: base %s; candidate %s; for a parameter that is meant to differ use e.g. --across %s"
                        .formatted(
                                RowLabels.label(base.keySet().iterator().next(), varying),
                                RowLabels.label(candidate.keySet().iterator().next(), varying),
                                varying.iterator().next()));
    }
}
