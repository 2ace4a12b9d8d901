package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/**
 * One side of one parameter combination, over all runs that have it.
 *
 * @param params of the first of them
 * @param entries at least one
 */
record Row(Map<String, String> params, List<Run.Entry> entries) {

    Sample sample(Metric metric) {
        var forks = new ArrayList<List<Double>>();
        for (Run.Entry e : entries) {
            forks.addAll(e.result().metrics().getOrDefault(metric.name(), List.of()));
        }
        return Sample.of(forks);
    }

    /** All values that each fact has. */
    Map<String, Set<String>> facts() {
        var all = new TreeMap<String, Set<String>>();
        for (Run.Entry e : entries) {
            e.facts().forEach((k, v) -> all.computeIfAbsent(k, n -> new TreeSet<>()).add(v));
        }
        return all;
    }

    /** Requests that failed. */
    long failed() {
        return entries.stream()
                .map(Run.Entry::result)
                .mapToDouble(r -> r.value(Metric.FAILED))
                .mapToLong(v -> (long) v)
                .sum();
    }

    int forks() {
        return entries.stream().map(Run.Entry::result).mapToInt(JmhResult::forks).sum();
    }

    int iterations() {
        return entries.stream().map(Run.Entry::result).mapToInt(JmhResult::iterations).sum();
    }

    /**
     * Distinct values of a count that all workloads of the row have alike. JMH may begin a second
     * workload in an iteration, where one takes less time than the system's delays: multiples of
     * the smallest value are of that kind.
     */
    Set<Double> ofOneWorkload(Metric count) {
        var values = new TreeSet<Double>();
        for (double[] fork : sample(count).forks()) for (double v : fork) values.add(v);
        if (values.isEmpty()) return values;
        double one = values.first();
        values.removeIf(v -> v > one && v % one == 0);
        return values;
    }
}
