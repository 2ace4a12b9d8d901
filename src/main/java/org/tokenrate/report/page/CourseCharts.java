package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.tokenrate.html.Axis;
import org.tokenrate.html.Chart;
import org.tokenrate.html.Series;
import org.tokenrate.metrics.TimeBins;
import org.tokenrate.workload.EngineSample;

/**
 * What happened over the course of an iteration. Rows that took about equally long share a time
 * axis; otherwise each is drawn from its own begin to its own end.
 */
final class CourseCharts {
    private static final int POINTS = 200;
    private static final double NANOS = 1e9;

    /** Beyond this ratio the shortest run would be a spot on a common axis. */
    private static final double MOST_RATIO = 4;

    private final List<RowRecords> rows;
    private final double longest;
    private final boolean isShared;

    /**
     * @param rows at least one, with records
     */
    CourseCharts(List<RowRecords> rows) {
        this.rows = rows;
        var seconds = rows.stream().mapToDouble(r -> r.course().seconds()).summaryStatistics();
        longest = seconds.getMax();
        isShared = seconds.getMax() <= MOST_RATIO * seconds.getMin();
    }

    Chart tokens(String note) {
        return chart(
                rows,
                "tokens-over-time",
                "Output tokens/s over time",
                "tok/s",
                note,
                r -> rates(r.course().tokens(), NANOS, step(r)));
    }

    Chart inFlight(String note) {
        return chart(
                rows,
                "in-flight-over-time",
                "Requests in flight over time",
                "requests",
                note,
                r -> rates(r.course().inFlight(), 1, step(r)));
    }

    /** Only if a row's engine has a KV pool. */
    List<Chart> kvBlocks(String note) {
        List<RowRecords> with = rows.stream().filter(r -> !r.engine().isEmpty()).toList();
        if (with.isEmpty()) return List.of();
        return List.of(
                chart(
                        with,
                        "kv-blocks-over-time",
                        "KV blocks in use over time",
                        "blocks",
                        note,
                        r -> blocks(r.engine(), step(r))));
    }

    private Chart chart(
            List<RowRecords> of,
            String id,
            String title,
            String unit,
            String note,
            Function<RowRecords, double[]> values) {
        var series = new ArrayList<Series>();
        for (RowRecords r : of) {
            double[] y = values.apply(r);
            double seconds = r.course().seconds();
            if (isShared) {
                for (int i = 0; i < POINTS; i++) if (i * step(r) > seconds) y[i] = Double.NaN;
            }
            String name = r.row().label() + " (" + Words.seconds(seconds) + ")";
            series.add(Series.of(name, series.size(), of.size(), y));
        }
        double[] xs = new double[POINTS];
        for (int i = 0; i < POINTS; i++) xs[i] = isShared ? i * longest / POINTS : 1.0 * i / POINTS;
        Axis x = isShared ? Axis.of("time", "s") : Axis.of("of each run's time", "%");
        return Chart.of(Chart.Kind.STEPS, id, title, x, Axis.of(unit, ""), xs, series)
                .withNote(note);
    }

    /** Seconds from one point to the next. */
    private double step(RowRecords r) {
        return (isShared ? longest : r.course().seconds()) / POINTS;
    }

    /** Mean amounts a nanosecond, times {@code factor}, from each point to the next. */
    private static double[] rates(TimeBins bins, double factor, double stepSeconds) {
        long[] amounts = bins.amounts();
        double[] sums = new double[amounts.length + 1];
        for (int i = 0; i < amounts.length; i++) sums[i + 1] = sums[i] + amounts[i];
        double stepNanos = stepSeconds * NANOS;
        double[] rates = new double[POINTS];
        for (int i = 0; i < POINTS; i++) {
            double from = i * stepNanos / bins.widthNanos();
            double to = (i + 1) * stepNanos / bins.widthNanos();
            rates[i] = (upTo(sums, to) - upTo(sums, from)) / stepNanos * factor;
        }
        return rates;
    }

    /** The sum up to a place between bins, as if amounts were even within each. */
    private static double upTo(double[] sums, double bin) {
        int whole = (int) Math.min(bin, sums.length - 1);
        if (whole == sums.length - 1) return sums[whole];
        return sums[whole] + (bin - whole) * (sums[whole + 1] - sums[whole]);
    }

    /** The most in use from each point to the next; the last known where nothing was sampled. */
    private static double[] blocks(List<EngineSample> samples, double stepSeconds) {
        double[] most = new double[POINTS];
        Arrays.fill(most, Double.NaN);
        for (EngineSample s : samples) {
            int at = (int) Math.min(s.nanos() / NANOS / stepSeconds, POINTS - 1);
            double blocks = s.counters().kvBlocksInUse();
            if (at >= 0 && !(most[at] >= blocks)) most[at] = blocks;
        }
        for (int i = 1; i < POINTS; i++) if (Double.isNaN(most[i])) most[i] = most[i - 1];
        return most;
    }
}
