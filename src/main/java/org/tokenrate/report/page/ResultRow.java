package org.tokenrate.report.page;

import static java.util.stream.Collectors.joining;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/**
 * One parameter combination of one run.
 *
 * @param params parameters by name; with several runs also {@code run}
 * @param label those of them that vary from row to row, e.g. {@code concurrency=16}
 * @param mark what its names carry because other rows are of real devices; mostly empty
 * @param folder where its request files would be
 */
record ResultRow(
        Map<String, String> params, String label, String mark, JmhResult result, Path folder) {
    static final String RUN = "run";

    private static final String NOT_REAL = " (not a real device)";

    static List<ResultRow> of(List<ResultRun> runs) {
        var all = new ArrayList<ResultRow>();
        for (ResultRun run : runs) {
            for (JmhResult r : run.results()) {
                var params = new LinkedHashMap<String, String>();
                if (runs.size() > 1) params.put(RUN, run.name());
                params.putAll(r.params());
                all.add(new ResultRow(params, "", "", r, run.folder()));
            }
        }
        Set<String> varying = varying(all);
        boolean mixed = all.stream().map(ResultRow::isNotReal).distinct().count() > 1;
        return all.stream().map(r -> r.marked(mixed).labelled(varying)).toList();
    }

    private ResultRow labelled(Set<String> names) {
        return new ResultRow(params, label(names), mark, result, folder);
    }

    private ResultRow marked(boolean mixed) {
        return new ResultRow(params, label, mixed && isNotReal() ? NOT_REAL : "", result, folder);
    }

    /** The values of these parameters, as the row's name among others. */
    String label(Collection<String> names) {
        String text = names.stream().map(n -> n + "=" + param(n)).collect(joining(", "));
        return (text.isEmpty() ? "all" : text) + mark;
    }

    String param(String name) {
        return params.getOrDefault(name, "");
    }

    double value(Metric metric) {
        return result.value(metric);
    }

    /** Names of the parameters that have several values, in their order. */
    static Set<String> varying(List<ResultRow> rows) {
        var values = new LinkedHashMap<String, Set<String>>();
        for (ResultRow r : rows) {
            r.params.forEach(
                    (n, v) -> values.computeIfAbsent(n, k -> new LinkedHashSet<>()).add(v));
        }
        var names = new LinkedHashSet<String>();
        values.forEach(
                (name, all) -> {
                    boolean everywhere = rows.stream().allMatch(r -> r.params.containsKey(name));
                    if (all.size() > 1 || !everywhere) names.add(name);
                });
        return names;
    }

    /** See {@link JmhResult#isNotReal}. */
    boolean isNotReal() {
        return result.isNotReal();
    }
}
