package org.tokenrate.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.tokenrate.compare.Figure;
import org.tokenrate.compare.Format;
import org.tokenrate.html.Axis;
import org.tokenrate.html.Chart;
import org.tokenrate.html.Mark;
import org.tokenrate.html.Page;
import org.tokenrate.html.Series;
import org.tokenrate.html.Table;

/** The history as a page: the changes, and a chart a row and figure with the changes marked. */
public final class HistoryPage {
    private HistoryPage() {}

    public static Page of(History h) {
        var page = new Page("History of " + h.results());
        page.paragraph(Sentences.summary(h));
        for (String w : h.warnings()) page.warning(w);
        for (String s : Sentences.tooFew(h)) page.paragraph(s);
        page.heading("Changes");
        List<History.Found> changes = h.changes();
        if (changes.isEmpty()) page.paragraph("No change of a level was seen.");
        else page.table(table(h, changes));
        for (int i = 0; i < h.rows().size(); i++) {
            Row row = h.rows().get(i);
            page.heading(row.label());
            page.charts(charts(h, row, i));
        }
        for (String m : Sentences.method()) page.small(m);
        return page;
    }

    private static Table table(History h, List<History.Found> changes) {
        var rows = new ArrayList<Table.Row>();
        for (History.Found f : changes) {
            Line line = f.line();
            ChangePoint c = f.change();
            State state = h.states().get(f.state());
            rows.add(
                    new Table.Row(
                            line.isSlower(c) ? Table.Look.WORSE : Table.Look.BETTER,
                            List.of(
                                    new Table.Cell(state.name(), f.state()),
                                    new Table.Cell(
                                            h.states().get(f.stateBefore()).name(),
                                            f.stateBefore()),
                                    Table.Cell.of(f.row().label()),
                                    Table.Cell.of(line.figure().label()),
                                    new Table.Cell(
                                            Format.value(line.figure(), c.before()), c.before()),
                                    new Table.Cell(
                                            Format.value(line.figure(), c.after()), c.after()),
                                    new Table.Cell(Format.change(c.change()), c.change()),
                                    new Table.Cell(Format.p(c.adjustedP()), c.adjustedP()),
                                    Table.Cell.of(line.word(c)),
                                    Table.Cell.of(state.subject()))));
        }
        return new Table(
                "Changes of a level",
                List.of(
                        new Table.Column("since", true),
                        new Table.Column("after", true),
                        new Table.Column("row", true),
                        new Table.Column("figure", true),
                        new Table.Column("before", false),
                        new Table.Column("now", false),
                        new Table.Column("change", false),
                        new Table.Column("p", false),
                        new Table.Column("verdict", true),
                        new Table.Column("subject", true)),
                rows);
    }

    private static List<Chart> charts(History h, Row row, int index) {
        var charts = new ArrayList<Chart>();
        for (Figure f : Figure.values()) {
            List<Line> lines = row.lines().stream().filter(l -> l.figure() == f).toList();
            if (!lines.isEmpty()) charts.add(chart(h, row, index, f, lines));
        }
        return charts;
    }

    private static Chart chart(History h, Row row, int index, Figure figure, List<Line> lines) {
        var measured = new TreeSet<Integer>();
        for (Line l : lines) for (Point p : l.points()) measured.add(p.state());
        List<Integer> states = List.copyOf(measured);
        double[] xs = new double[states.size()];
        Arrays.setAll(xs, i -> i);
        var series = new ArrayList<Series>();
        var marks = new ArrayList<Mark>();
        for (Line l : lines) {
            series.add(series(row, l, states));
            for (ChangePoint c : l.changes()) {
                int state = l.points().get(c.point()).state();
                marks.add(new Mark(states.indexOf(state), Sentences.change(l, c)));
            }
        }
        for (Row.Break b : row.breaks()) {
            int at = states.indexOf(b.state());
            if (at >= 0) marks.add(new Mark(at, "break: " + b.text()));
        }
        String id =
                "row-%d-%s"
                        .formatted(
                                index + 1,
                                figure.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        List<String> names = states.stream().map(s -> h.states().get(s).name()).toList();
        Axis y = Axis.of("", figure.metric().unit()).fitted();
        return Chart.of(
                        Chart.Kind.LINES,
                        id,
                        figure.label() + (figure.higherIsBetter() ? "" : " (less is better)"),
                        Axis.ofNames("", names),
                        y,
                        xs,
                        series)
                .withNotes(states.stream().map(s -> note(h.states().get(s))).toList())
                .withMarks(marks)
                .thatJoins();
    }

    private static Series series(Row row, Line line, List<Integer> states) {
        double[] y = new double[states.size()];
        double[] low = new double[y.length];
        double[] high = new double[y.length];
        for (double[] a : new double[][] {y, low, high}) Arrays.fill(a, Double.NaN);
        for (Point p : line.points()) {
            int at = states.indexOf(p.state());
            y[at] = p.value();
            low[at] = p.low();
            high[at] = p.high();
        }
        boolean intervals = Arrays.stream(low).anyMatch(Double::isFinite);
        String name =
                row.settings().size() == 1
                        ? line.figure().label()
                        : "setting " + (line.setting() + 1);
        Series s = Series.of(name, line.setting(), y);
        return intervals ? s.within(low, high) : s;
    }

    private static String note(State s) {
        String kind = s.kind() == State.Kind.COMMIT ? "" : " (" + s.kind().words() + ")";
        return (s.time() + " " + s.subject()).strip() + kind;
    }
}
