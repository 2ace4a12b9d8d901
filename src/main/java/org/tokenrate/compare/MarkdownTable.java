package org.tokenrate.compare;

import java.util.List;

/** The comparison as a table for a pull request. */
public final class MarkdownTable {
    private MarkdownTable() {}

    public static String of(Comparison c) {
        var text = new StringBuilder();
        text.append("**")
                .append(escaped(c.base()))
                .append(" → ")
                .append(escaped(c.candidate()))
                .append("**: ")
                .append(Legend.summary(c))
                .append("\n\n");
        for (String w : Legend.warnings(c)) text.append("- ").append(escaped(w)).append('\n');
        if (!Legend.warnings(c).isEmpty()) text.append('\n');
        text.append("| row | figure | base | candidate | change | 95 % interval | p | verdict |\n");
        text.append("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
        for (Comparison.Row row : c.rows()) {
            for (Outcome o : row.outcomes()) text.append(line(row, o));
        }
        text.append('\n');
        for (String m : Legend.method()) text.append(escaped(m)).append('\n');
        return text.toString();
    }

    private static String line(Comparison.Row row, Outcome o) {
        boolean differs = o.verdict() == Verdict.SLOWER || o.verdict() == Verdict.FASTER;
        var cells =
                List.of(
                        escaped(row.label()),
                        o.figure().label(),
                        Format.value(o.figure(), o.base()),
                        Format.value(o.figure(), o.candidate()),
                        Format.change(o.change()),
                        Format.interval(o.interval()),
                        escaped(Format.p(o.adjustedP())),
                        differs ? "**" + o.words() + "**" : o.words());
        return "| " + String.join(" | ", cells) + " |\n";
    }

    /** Names are from files that anyone may have written: no markup, no cell of their own. */
    private static String escaped(String text) {
        return Format.plain(text)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replaceAll("([\\\\`*_\\[\\]|~!#])", "\\\\$1");
    }
}
