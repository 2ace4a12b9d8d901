package org.tokenrate.report.page;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.tokenrate.html.Axis;
import org.tokenrate.html.Chart;
import org.tokenrate.html.Series;

/** Which share of all samples is at most so long. */
final class DistributionCharts {
    private static final int POINTS = 200;
    private static final double NANOS = 1e9;

    private DistributionCharts() {}

    /** Nothing if no row has a sample. */
    static Optional<Chart> of(
            List<RowRecords> rows,
            Function<RowRecords, Histogram> latency,
            String id,
            String title,
            String note) {
        List<RowRecords> with =
                rows.stream().filter(r -> latency.apply(r).getTotalCount() > 0).toList();
        if (with.isEmpty()) return Optional.empty();
        double least =
                with.stream().map(latency).mapToDouble(DistributionCharts::least).min().orElse(1);
        double most =
                with.stream().map(latency).mapToDouble(Histogram::getMaxValue).max().orElse(1);
        double[] nanos = grid(least / 1.05, Math.max(most, least) * 1.05);
        var series = new ArrayList<Series>();
        for (RowRecords r : with) {
            series.add(
                    Series.of(
                            r.row().label(),
                            series.size(),
                            with.size(),
                            shares(latency.apply(r), nanos)));
        }
        double[] seconds = Arrays.stream(nanos).map(n -> n / NANOS).toArray();
        return Optional.of(
                Chart.of(
                                Chart.Kind.LINES,
                                id,
                                title,
                                Axis.of("", "s").log(),
                                Axis.of("at most so long", "%"),
                                seconds,
                                series)
                        .withNote(note));
    }

    /** A microsecond at least: nothing shorter is worth an axis. */
    private static double least(Histogram h) {
        return Math.max(1_000, h.getMinValue());
    }

    private static double[] grid(double from, double to) {
        double[] nanos = new double[POINTS];
        for (int i = 0; i < POINTS; i++) {
            nanos[i] = from * Math.pow(to / from, i / (POINTS - 1.0));
        }
        return nanos;
    }

    /** Of the samples whose bin ends before each x. */
    private static double[] shares(Histogram h, double[] nanos) {
        double[] shares = new double[nanos.length];
        double all = h.getTotalCount();
        int at = 0;
        for (HistogramIterationValue v : h.recordedValues()) {
            double before = v.getTotalCountToThisValue() - v.getCountAddedInThisIterationStep();
            while (at < nanos.length && nanos[at] < v.getValueIteratedTo()) {
                shares[at++] = before / all;
            }
        }
        Arrays.fill(shares, at, shares.length, 1);
        return shares;
    }
}
