package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokenrate.html.Axis;
import org.tokenrate.html.Chart;
import org.tokenrate.html.Series;
import org.tokenrate.report.Metric;

/** Rates and percentiles over the parameters that were swept. */
final class SweepCharts {
    private static final List<String> PERCENTILES = List.of("p50", "p75", "p95", "p99");

    /** Lines of a chart of percentiles that are shown at first. */
    private static final int SHOWN_LINES = 2;

    /** From this ratio on, small values would be lost on a linear axis. */
    private static final double WIDE = 20;

    private final Sweep sweep;
    private final String note;

    /**
     * @param note stands below every title; may be empty
     */
    SweepCharts(Sweep sweep, String note) {
        this.sweep = sweep;
        this.note = note;
    }

    Chart rate(String id, String title, String unit, Metric metric, boolean withIntervals) {
        var series = new ArrayList<Series>();
        for (String line : sweep.lines().keySet()) {
            double[] y = sweep.values(line, r -> r.value(metric));
            Series s = Series.of(line, series.size(), sweep.lines().size(), y);
            if (withIntervals) {
                double[] half = sweep.values(line, r -> r.result().interval95(metric));
                double[] low = new double[y.length];
                double[] high = new double[y.length];
                for (int i = 0; i < y.length; i++) {
                    low[i] = y[i] - half[i];
                    high[i] = y[i] + half[i];
                }
                s = s.within(low, high);
            }
            series.add(s);
        }
        Chart.Kind kind = sweep.isNumeric() ? Chart.Kind.LINES : Chart.Kind.BARS;
        return Chart.of(kind, id, title, sweep.axis(), Axis.of(unit, ""), sweep.xs(), series)
                .withNote(note)
                .thatJoins();
    }

    Chart percentiles(String latency, String title) {
        var series = new ArrayList<Series>();
        int n = 0;
        for (String line : sweep.lines().keySet()) {
            for (int p = 0; p < PERCENTILES.size(); p++) {
                String percentile = PERCENTILES.get(p);
                double[] y = sweep.values(line, r -> r.value(Metric.latency(latency, percentile)));
                boolean alone = sweep.lines().size() == 1;
                String name = alone ? percentile : line + ", " + percentile;
                series.add(
                        Series.of(name, 0, y).styled(alone ? p : n % 8, p).shown(n < SHOWN_LINES));
            }
            n++;
        }
        Chart.Kind kind = sweep.isNumeric() ? Chart.Kind.LINES : Chart.Kind.POINTS;
        return Chart.of(kind, latency, title, sweep.axis(), timeAxis(series), sweep.xs(), series)
                .withNote(note)
                .thatJoins();
    }

    /** Logarithmic if values are far apart and none is zero. */
    private static Axis timeAxis(List<Series> series) {
        var values =
                series.stream()
                        .flatMapToDouble(s -> Arrays.stream(s.y()))
                        .filter(v -> !Double.isNaN(v))
                        .summaryStatistics();
        boolean wide = values.getMin() > 0 && values.getMax() / values.getMin() >= WIDE;
        return wide ? Axis.of("", "s").log() : Axis.of("", "s");
    }
}
