package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.tokenrate.html.Axis;

/**
 * Rows along an axis: that of concurrency if it is swept, else of the first swept parameter that is
 * a number, else side by side. What else is swept makes lines.
 *
 * @param axis the axis
 * @param isNumeric whether it is a parameter's, rather than of rows side by side
 * @param xs ascending
 * @param lines by name: the row at each x, where there is one
 */
record Sweep(Axis axis, boolean isNumeric, double[] xs, Map<String, Map<Double, ResultRow>> lines) {
    private static final String CONCURRENCY = "concurrency";

    /** Where the largest is so many times the smallest, steps are likely doublings. */
    private static final double WIDE = 8;

    static Sweep of(List<ResultRow> rows) {
        Set<String> varying = ResultRow.varying(rows);
        Optional<String> along = along(rows, varying);
        return along.isPresent() ? along(rows, varying, along.get()) : sideBySide(rows);
    }

    private static Optional<String> along(List<ResultRow> rows, Set<String> varying) {
        var candidates = new ArrayList<>(varying);
        if (candidates.remove(CONCURRENCY)) candidates.add(0, CONCURRENCY);
        return candidates.stream()
                .filter(n -> rows.stream().allMatch(r -> isNumber(r.param(n))))
                .findFirst();
    }

    private static Sweep along(List<ResultRow> rows, Set<String> varying, String name) {
        List<String> others = varying.stream().filter(n -> !n.equals(name)).toList();
        var xs = new TreeSet<Double>();
        var lines = new LinkedHashMap<String, Map<Double, ResultRow>>();
        for (ResultRow row : rows) {
            double x = Double.parseDouble(row.param(name));
            xs.add(x);
            String line = others.isEmpty() ? "all" : row.label(others);
            String free = line;
            for (int n = 2; lines.getOrDefault(free, Map.of()).containsKey(x); n++) {
                free = line + " (" + n + ")";
            }
            lines.computeIfAbsent(free, k -> new HashMap<>()).put(x, row);
        }
        Axis axis = Axis.of(name, "");
        boolean wide = xs.first() > 0 && xs.last() / xs.first() >= WIDE;
        return new Sweep(wide ? axis.log2() : axis.fitted(), true, array(xs), lines);
    }

    private static Sweep sideBySide(List<ResultRow> rows) {
        var xs = new TreeSet<Double>();
        var line = new HashMap<Double, ResultRow>();
        for (ResultRow row : rows) {
            double x = xs.size();
            xs.add(x);
            line.put(x, row);
        }
        Axis axis = Axis.ofNames("", rows.stream().map(ResultRow::label).toList());
        return new Sweep(axis, false, array(xs), Map.of("all", line));
    }

    /** A line's values at every x; NaN where there is none. */
    double[] values(String line, ToDoubleFunction<ResultRow> value) {
        double[] ys = new double[xs.length];
        for (int i = 0; i < ys.length; i++) {
            ResultRow row = lines.get(line).get(xs[i]);
            ys[i] = row == null ? Double.NaN : value.applyAsDouble(row);
        }
        return ys;
    }

    private static boolean isNumber(String text) {
        return text.matches("-?\\d{1,15}(\\.\\d{1,15})?");
    }

    private static double[] array(Set<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
