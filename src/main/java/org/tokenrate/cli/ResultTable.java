package org.tokenrate.cli;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/** The table at a run's end: a row a combination, swept parameters and the key figures. */
final class ResultTable {
    private static final List<String> FIGURES =
            List.of(
                    "out tok/s",
                    "+-95%",
                    "total tok/s",
                    "RPM",
                    "TTFT p50",
                    "TTFT p99",
                    "TPOT p50",
                    "E2E p50",
                    "E2E p99",
                    "time s",
                    "failed");

    private ResultTable() {}

    static String of(List<JmhResult> results, List<String> swept) {
        var rows = new ArrayList<List<String>>();
        var heading = new ArrayList<>(swept);
        heading.addAll(FIGURES);
        rows.add(heading);
        for (JmhResult r : results) rows.add(row(r, swept));
        return aligned(rows);
    }

    private static List<String> row(JmhResult r, List<String> swept) {
        var row = new ArrayList<String>();
        for (String p : swept) row.add(r.params().get(p));
        row.add(Texts.number(r.value(Metric.OUTPUT_RATE), 1));
        row.add(Texts.number(r.interval95(Metric.OUTPUT_RATE), 1));
        row.add(Texts.number(r.value(Metric.TOTAL_RATE), 1));
        row.add(Texts.number(r.value(Metric.RPM), 1));
        row.add(Texts.millis(r.value(Metric.latency("ttft", "p50"))));
        row.add(Texts.millis(r.value(Metric.latency("ttft", "p99"))));
        row.add(Texts.millis(r.value(Metric.latency("tpot", "p50"))));
        row.add(Texts.millis(r.value(Metric.latency("e2e", "p50"))));
        row.add(Texts.millis(r.value(Metric.latency("e2e", "p99"))));
        row.add(Texts.number(r.value(Metric.DURATION), 2));
        row.add(Texts.number(r.value(Metric.FAILED), 0));
        return row;
    }

    /** Columns to the right, two spaces apart; the first row is the heading. */
    static String aligned(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int c = 0; c < columns; c++) widths[c] = Math.max(widths[c], row.get(c).length());
        }
        var text = new StringBuilder();
        for (List<String> row : rows) {
            var line = new StringBuilder();
            for (int c = 0; c < columns; c++) {
                line.append(c == 0 ? "" : "  ")
                        .append(" ".repeat(widths[c] - row.get(c).length()))
                        .append(row.get(c));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
