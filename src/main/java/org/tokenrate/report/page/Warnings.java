package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.report.MissingRows;

/** What a reader must know before the figures, in sentences. */
final class Warnings {
    private static final String FINISHED = "finished";
    private static final int MOST_MISSING = 10;

    private Warnings() {}

    static List<String> of(List<ResultRun> runs, List<ResultRow> rows) {
        var all = new ArrayList<String>();
        List<ResultRow> notReal = rows.stream().filter(ResultRow::isNotReal).toList();
        if (!notReal.isEmpty()) all.add(notReal(notReal, rows.size()));
        for (ResultRun run : runs) {
            status(run, all);
            missing(run, all);
        }
        for (ResultRow row : rows) failed(row, all);
        return all;
    }

    private static String notReal(List<ResultRow> rows, int all) {
        ResultRow first = rows.get(0);
        return "NOT A REAL DEVICE: the times of %s are those of the engine %s on %s. They say nothing of any hardware."
                .formatted(
                        rows.size() == all ? "this report" : rows.size() + " of " + all + " rows",
                        first.result().info("engine"),
                        first.result().info("device"));
    }

    private static void status(ResultRun run, List<String> all) {
        if (!run.recordError().isEmpty()) {
            all.add(
                    "It is not known whether %s is complete, nor on what machine it was measured: %s."
                            .formatted(run.name(), run.recordError()));
            return;
        }
        String status = run.record().path("status").asText();
        if (status.equals(FINISHED)) return;
        all.add(
                "%s: %s %s."
                        .formatted(
                                status.toUpperCase(Locale.ROOT),
                                run.name(),
                                switch (status) {
                                    case "running" -> "has not ended, or was killed";
                                    case "interrupted" -> "was interrupted";
                                    case "failed" -> "failed, in part or as a whole";
                                    default -> "has a status that this version does not know";
                                }));
    }

    /** Combinations that were asked for and have no result, a line each. */
    private static void missing(ResultRun run, List<String> all) {
        List<MissingRows.Missing> missing = run.missing();
        if (missing.isEmpty()) return;
        var asked = new ArrayList<Map<String, String>>();
        for (JmhResult r : run.results()) asked.add(r.params());
        for (MissingRows.Missing m : missing) asked.add(m.row().params());
        var text =
                new StringBuilder(
                        "MISSING ROWS: %d of the %s of %s have no result."
                                .formatted(
                                        missing.size(),
                                        Words.count(asked.size(), "parameter combination"),
                                        run.name()));
        missing.stream()
                .limit(MOST_MISSING)
                .forEach(
                        m ->
                                text.append(
                                        "\n%s: %s"
                                                .formatted(
                                                        label(m.row().params(), asked),
                                                        m.reason())));
        if (missing.size() > MOST_MISSING) {
            text.append("\nand %d more".formatted(missing.size() - MOST_MISSING));
        }
        all.add(text.toString());
    }

    private static String label(Map<String, String> params, List<Map<String, String>> among) {
        var varying = new TreeMap<String, String>(params);
        varying.entrySet()
                .removeIf(
                        e -> among.stream().allMatch(o -> e.getValue().equals(o.get(e.getKey()))));
        String text = varying.toString();
        return varying.isEmpty() ? "all" : text.substring(1, text.length() - 1);
    }

    private static void failed(ResultRow row, List<String> all) {
        double failed = row.value(Metric.FAILED);
        if (!(failed > 0)) return;
        var text =
                new StringBuilder(
                        "FAILED REQUESTS: %s with %s; they are in no figure."
                                .formatted(Words.number(failed, 0), row.label()));
        row.result()
                .errors()
                .forEach((message, count) -> text.append("\n").append(count + " x " + message));
        all.add(text.toString());
    }
}
