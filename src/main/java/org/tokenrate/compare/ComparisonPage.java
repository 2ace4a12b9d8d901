package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.html.Page;
import org.tokenrate.html.Table;

/** The comparison as one HTML file that needs nothing else. */
public final class ComparisonPage {
    private static final List<Table.Column> COLUMNS =
            List.of(
                    new Table.Column("figure", true),
                    new Table.Column("base", false),
                    new Table.Column("candidate", false),
                    new Table.Column("change", false),
                    new Table.Column("95 % interval", false),
                    new Table.Column("p", false),
                    new Table.Column("verdict", true));

    private ComparisonPage() {}

    public static String of(Comparison c) {
        var page = new Page(c.base() + " \u2192 " + c.candidate());
        page.paragraph(Legend.summary(c));
        for (String w : Legend.warnings(c)) page.warning(w);
        for (Comparison.Row row : c.rows()) {
            page.heading(row.label()).small(Legend.row(row)).table(table(row));
        }
        return page.small(String.join("\n", Legend.method())).html();
    }

    private static Table table(Comparison.Row row) {
        var lines = new ArrayList<Table.Row>();
        for (Outcome o : row.outcomes()) {
            lines.add(
                    new Table.Row(
                            look(o.verdict()),
                            List.of(
                                    Table.Cell.of(o.figure().label()),
                                    new Table.Cell(Format.value(o.figure(), o.base()), o.base()),
                                    new Table.Cell(
                                            Format.value(o.figure(), o.candidate()), o.candidate()),
                                    new Table.Cell(Format.change(o.change()), o.change()),
                                    Table.Cell.of(Format.interval(o.interval())),
                                    new Table.Cell(Format.p(o.adjustedP()), o.adjustedP()),
                                    Table.Cell.of(o.words()))));
        }
        return new Table(row.label(), COLUMNS, lines);
    }

    private static Table.Look look(Verdict verdict) {
        return switch (verdict) {
            case SLOWER -> Table.Look.WORSE;
            case FASTER -> Table.Look.BETTER;
            default -> Table.Look.PLAIN;
        };
    }
}
