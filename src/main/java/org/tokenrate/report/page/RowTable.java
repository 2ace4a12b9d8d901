package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.tokenrate.html.Table;
import org.tokenrate.report.Metric;

/** A row a parameter combination, with the figures that people ask for; the CSV has them all. */
final class RowTable {
    private record Figure(
            String name, boolean isTime, int decimals, ToDoubleFunction<ResultRow> of) {}

    private static final List<Figure> FIGURES = figures();

    private RowTable() {}

    static Table of(List<ResultRow> rows, Optional<ResultRow> best) {
        Set<String> varying = ResultRow.varying(rows);
        List<Figure> figures = FIGURES.stream().filter(f -> isKnown(f, rows)).toList();
        var columns = new ArrayList<Table.Column>();
        for (String name : varying) columns.add(new Table.Column(name, true));
        columns.add(new Table.Column("device", true));
        for (Figure f : figures) columns.add(new Table.Column(f.name(), false));
        var lines = new ArrayList<Table.Row>();
        for (ResultRow row : rows) {
            var cells = new ArrayList<Table.Cell>();
            for (String name : varying) cells.add(Table.Cell.of(row.param(name)));
            cells.add(Table.Cell.of(device(row)));
            for (Figure f : figures) cells.add(cell(f, f.of().applyAsDouble(row)));
            boolean isBest = rows.size() > 1 && best.isPresent() && best.get() == row;
            lines.add(new Table.Row(isBest ? Table.Look.BEST : Table.Look.PLAIN, cells));
        }
        return new Table("every parameter combination", columns, lines);
    }

    /** Of any row: a column of blanks tells nothing. */
    private static boolean isKnown(Figure f, List<ResultRow> rows) {
        return rows.stream().anyMatch(r -> !Double.isNaN(f.of().applyAsDouble(r)));
    }

    private static String device(ResultRow row) {
        String device = row.result().info("device");
        return row.isNotReal() ? "not real: " + device : device;
    }

    private static Table.Cell cell(Figure f, double value) {
        if (Double.isNaN(value)) return Table.Cell.of("");
        return new Table.Cell(
                f.isTime() ? Words.seconds(value) : Words.number(value, f.decimals()), value);
    }

    private static List<Figure> figures() {
        var f = new ArrayList<Figure>();
        f.add(number("output tok/s", 1, r -> r.value(Metric.OUTPUT_RATE)));
        f.add(number("\u00b1 95 %", 1, r -> r.result().interval95(Metric.OUTPUT_RATE)));
        f.add(number("total tok/s", 1, r -> r.value(Metric.TOTAL_RATE)));
        f.add(number("RPM", 1, r -> r.value(Metric.RPM)));
        f.add(number("\u00b1 95 % of RPM", 1, r -> r.result().interval95(Metric.RPM)));
        for (String latency : List.of("ttft", "itl", "tpot", "e2e")) {
            for (String p : List.of("p50", "p75", "p95", "p99")) {
                Metric metric = Metric.latency(latency, p);
                String name = latency.toUpperCase(Locale.ROOT) + " " + p;
                f.add(new Figure(name, true, 0, r -> r.value(metric)));
            }
        }
        f.add(new Figure("time", true, 0, r -> r.value(Metric.DURATION)));
        f.add(number("generated tokens", 0, r -> r.value(Metric.GENERATED_TOKENS)));
        f.add(number("KV blocks peak", 0, r -> r.value(Metric.KV_BLOCKS_PEAK)));
        f.add(number("KV blocks", 0, r -> r.value(Metric.KV_BLOCKS)));
        f.add(number("preemptions", 1, r -> r.value(Metric.PREEMPTIONS)));
        f.add(number("forks", 0, r -> r.result().forks()));
        f.add(number("iterations", 0, r -> r.result().iterations()));
        f.add(number("failed", 0, r -> r.value(Metric.FAILED)));
        return List.copyOf(f);
    }

    private static Figure number(String name, int decimals, ToDoubleFunction<ResultRow> of) {
        return new Figure(name, false, decimals, of);
    }
}
