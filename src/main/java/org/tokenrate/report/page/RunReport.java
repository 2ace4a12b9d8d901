package org.tokenrate.report.page;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import org.tokenrate.html.Chart;
import org.tokenrate.html.Page;
import org.tokenrate.report.Metric;

/** Makes the page of one run or several. */
public final class RunReport {
    private static final String NOT_REAL = "Not a real device's times.";

    private RunReport() {}

    /**
     * @param jmhJsons at least one; what stands beside each is read too
     * @throws IOException if one is not a result, in one sentence; what is wrong with the files
     *     beside it, the page says
     */
    public static Page of(List<Path> jmhJsons) throws IOException {
        var runs = new ArrayList<ResultRun>();
        for (Path file : jmhJsons) runs.add(ResultRun.read(file));
        List<ResultRow> rows = ResultRow.of(runs);
        Optional<ResultRow> best = best(rows);
        List<RowRecords> records = rows.parallelStream().map(RowRecords::read).toList();
        String note = rows.stream().allMatch(ResultRow::isNotReal) ? NOT_REAL : "";

        var page =
                new Page("tokenrate: " + runs.stream().map(ResultRun::name).collect(joining(", ")));
        for (String w : Warnings.of(runs, rows)) page.warning(w);
        String summary = best.map(b -> summary(b, rows.size())).orElse("No row has a figure.");
        page.paragraph(note.isEmpty() ? summary : note + " " + summary);
        page.small(setting(rows));

        Sweep sweep = Sweep.of(rows);
        var charts = new SweepCharts(sweep, note);
        page.heading("Throughput")
                .small("Whiskers are 95 % confidence intervals of the mean over iterations.")
                .charts(
                        List.of(
                                charts.rate(
                                        "output-rate",
                                        "Output tokens/s",
                                        "tok/s",
                                        Metric.OUTPUT_RATE,
                                        true),
                                charts.rate(
                                        "request-rate",
                                        "Requests/min (RPM)",
                                        "requests/min",
                                        Metric.RPM,
                                        true)));
        page.heading("Latency")
                .charts(
                        List.of(
                                charts.percentiles("ttft", "Time to first token (TTFT)"),
                                charts.percentiles("itl", "Inter-token latency (ITL)"),
                                charts.percentiles("e2e", "End to end (E2E)")));
        distributions(page, records, note);
        courses(page, records, note);
        page.heading("All rows").table(RowTable.of(rows, best));
        page.heading("Environment").facts(Environment.of(runs, rows));
        return page;
    }

    /** The highest token rate, of a real device if there is one. */
    private static Optional<ResultRow> best(List<ResultRow> rows) {
        return rows.stream()
                .filter(r -> !Double.isNaN(r.value(Metric.OUTPUT_RATE)))
                .max(
                        Comparator.comparing((ResultRow r) -> !r.isNotReal())
                                .thenComparing(r -> r.value(Metric.OUTPUT_RATE)));
    }

    private static String summary(ResultRow best, int rows) {
        double interval = best.result().interval95(Metric.OUTPUT_RATE);
        return "%s %s output tok/s%s and %s requests/min%s. TTFT p50 %s, p99 %s; ITL p50 %s, p99 %s; E2E p50 %s, p99 %s."
                .formatted(
                        rows == 1 ? "Measured:" : "Most tokens of " + rows + " rows:",
                        Words.number(best.value(Metric.OUTPUT_RATE), 1),
                        Double.isNaN(interval)
                                ? ""
                                : " (\u00b1 " + Words.number(interval, 1) + ", 95 %)",
                        Words.number(best.value(Metric.RPM), 1),
                        rows == 1 ? "" : ", with " + best.label(),
                        percentile(best, "ttft", "p50"),
                        percentile(best, "ttft", "p99"),
                        percentile(best, "itl", "p50"),
                        percentile(best, "itl", "p99"),
                        percentile(best, "e2e", "p50"),
                        percentile(best, "e2e", "p99"));
    }

    private static String percentile(ResultRow row, String latency, String percentile) {
        return Words.seconds(row.value(Metric.latency(latency, percentile)));
    }

    private static String setting(List<ResultRow> rows) {
        var text = new ArrayList<String>();
        for (String name :
                List.of("engine", "device", "model", "model_format", "dtype", "commit")) {
            var values = new LinkedHashSet<String>();
            for (ResultRow r : rows) values.add(r.result().info(name));
            values.remove("");
            if (!values.isEmpty()) text.add(name.replace('_', ' ') + " " + Words.some(values));
        }
        return text.isEmpty() ? "" : String.join(", ", text) + ".";
    }

    private static void distributions(Page page, List<RowRecords> records, String note) {
        page.heading("Distribution of latencies");
        var charts = new ArrayList<Chart>();
        String where = note.isEmpty() ? "" : note + " ";
        DistributionCharts.of(
                        records,
                        RowRecords::ttft,
                        "ttft-distribution",
                        "TTFT of all requests",
                        where)
                .ifPresent(charts::add);
        DistributionCharts.of(
                        records,
                        RowRecords::itl,
                        "itl-distribution",
                        "ITL of all tokens after the first",
                        where)
                .ifPresent(charts::add);
        DistributionCharts.of(
                        records, RowRecords::e2e, "e2e-distribution", "E2E of all requests", where)
                .ifPresent(charts::add);
        if (!charts.isEmpty()) {
            page.small("All measured iterations together, in bins of less than 1 %.")
                    .charts(charts);
        }
        var problems = new LinkedHashSet<String>();
        for (RowRecords r : records) problems.addAll(r.problems());
        if (!problems.isEmpty()) {
            page.paragraph(
                    "Requests that are in no chart below or in this section: "
                            + Words.some(problems)
                            + ".");
        }
    }

    private static void courses(Page page, List<RowRecords> records, String note) {
        List<RowRecords> known =
                records.stream()
                        .filter(r -> !r.isEmpty() && r.course().seconds() > 0)
                        .filter(r -> r.course().inFlight().amounts().length > 0)
                        .toList();
        if (known.isEmpty()) return;
        var courses = new CourseCharts(known);
        var charts = new ArrayList<Chart>();
        charts.add(courses.tokens(note));
        charts.add(courses.inFlight(note));
        charts.addAll(courses.kvBlocks(note));
        page.heading("Over the course of an iteration")
                .small("Of each row, the iteration with the median token rate.")
                .charts(charts);
    }
}
