package org.tokenrate.report.page;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/** What a reader must know before the figures, in sentences. */
final class Warnings {
    private static final String FINISHED = "finished";

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

    /** Combinations that were asked for and have no result. */
    private static void missing(ResultRun run, List<String> all) {
        var measured = new HashSet<Map<String, String>>();
        for (JmhResult r : run.results()) measured.add(new TreeMap<>(r.params()));
        var asked = new ArrayList<Map<String, String>>();
        for (JsonNode c : run.record().path("combinations")) {
            if (!c.path("benchmark").asText().contains(".RequestThroughputBenchmark.")) continue;
            var params = new TreeMap<String, String>();
            for (var p : c.path("params").properties())
                params.put(p.getKey(), p.getValue().asText());
            asked.add(params);
        }
        List<Map<String, String>> missing =
                asked.stream().filter(params -> !measured.contains(params)).toList();
        if (missing.isEmpty()) return;
        var names = missing.stream().map(m -> label(m, asked)).toList();
        all.add(
                "MISSING ROWS: %d of the %s of %s have no result: %s."
                        .formatted(
                                missing.size(),
                                Words.count(asked.size(), "parameter combination"),
                                run.name(),
                                Words.some(names)));
    }

    private static String label(Map<String, String> params, List<Map<String, String>> among) {
        var varying = new LinkedHashMap<String, String>();
        params.forEach(
                (name, value) -> {
                    if (among.stream().anyMatch(o -> !value.equals(o.get(name)))) {
                        varying.put(name, value);
                    }
                });
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
