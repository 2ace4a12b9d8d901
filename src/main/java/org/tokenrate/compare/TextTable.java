package org.tokenrate.compare;

import java.util.ArrayList;
import java.util.List;

/** The comparison as a terminal shows it, in fewer than 100 columns unless names are long. */
public final class TextTable {
    private static final List<String> HEADING =
            List.of("", "base", "candidate", "change", "95 % interval", "p", "verdict");

    private TextTable() {}

    public static String of(Comparison c) {
        var table = new ArrayList<List<String>>();
        for (Comparison.Row row : c.rows()) {
            for (Outcome o : row.outcomes()) table.add(cells(o));
        }
        int[] widths = widths(table);
        var text = new StringBuilder();
        line(text, "base       " + Format.plain(c.base()));
        line(text, "candidate  " + Format.plain(c.candidate()));
        for (String w : Legend.warnings(c)) line(text, w);
        int at = 0;
        for (Comparison.Row row : c.rows()) {
            line(text, "");
            line(text, Format.plain(row.label()) + ": " + Legend.row(row));
            line(text, aligned(HEADING, widths));
            for (int i = 0; i < row.outcomes().size(); i++) {
                line(text, aligned(table.get(at++), widths));
            }
        }
        line(text, "");
        line(text, Legend.summary(c));
        for (String m : Legend.method()) line(text, m);
        return text.toString();
    }

    private static List<String> cells(Outcome o) {
        return List.of(
                o.figure().label(),
                Format.value(o.figure(), o.base()),
                Format.value(o.figure(), o.candidate()),
                Format.change(o.change()),
                Format.interval(o.interval()),
                Format.p(o.adjustedP()),
                o.words());
    }

    private static int[] widths(List<List<String>> rows) {
        int[] widths = HEADING.stream().mapToInt(String::length).toArray();
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        return widths;
    }

    /** The first and the last column to the left, numbers to the right. */
    private static String aligned(List<String> cells, int[] widths) {
        var text = new StringBuilder();
        int last = cells.size() - 1;
        for (int i = 0; i <= last; i++) {
            String pad = " ".repeat(widths[i] - cells.get(i).length());
            text.append("  ");
            if (i == 0 || i == last) text.append(cells.get(i)).append(pad);
            else text.append(pad).append(cells.get(i));
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String line) {
        text.append(line.stripTrailing()).append('\n');
    }
}
