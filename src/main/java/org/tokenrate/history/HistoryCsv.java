package org.tokenrate.history;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Locale;
import org.tokenrate.report.CsvText;

/** The history for spreadsheets: a row a point, in order. */
public final class HistoryCsv {
    private static final List<String> HEADING =
            List.of(
                    "row",
                    "figure",
                    "setting",
                    "order",
                    "commit",
                    "kind",
                    "time",
                    "value",
                    "low",
                    "high",
                    "least",
                    "greatest",
                    "forks",
                    "change",
                    "adjusted_p",
                    "verdict",
                    "subject");

    private HistoryCsv() {}

    public static void write(History h, Writer out) throws IOException {
        out.write(CsvText.line(HEADING));
        for (Row row : h.rows()) {
            for (Line line : row.lines()) line(h, row, line, out);
        }
    }

    private static void line(History h, Row row, Line line, Writer out) throws IOException {
        for (int i = 0; i < line.points().size(); i++) {
            int point = i;
            Point p = line.points().get(i);
            State s = h.states().get(p.state());
            var change = line.changes().stream().filter(c -> c.point() == point).findFirst();
            out.write(
                    CsvText.line(
                            List.of(
                                    row.label(),
                                    line.figure().metric().name(),
                                    Integer.toString(line.setting() + 1),
                                    Integer.toString(p.state() + 1),
                                    s.name(),
                                    s.kind().name().toLowerCase(Locale.ROOT),
                                    s.time().toString(),
                                    CsvText.number(p.value()),
                                    CsvText.number(p.low()),
                                    CsvText.number(p.high()),
                                    CsvText.number(p.least()),
                                    CsvText.number(p.greatest()),
                                    Integer.toString(p.forks()),
                                    change.map(c -> CsvText.number(c.change())).orElse(""),
                                    change.map(c -> CsvText.number(c.adjustedP())).orElse(""),
                                    change.map(line::word).orElse(""),
                                    s.subject())));
        }
    }
}
