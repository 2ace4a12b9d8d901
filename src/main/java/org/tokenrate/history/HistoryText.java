package org.tokenrate.history;

import static org.tokenrate.history.Sentences.plural;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.compare.Format;

/** The history as a terminal shows it: the changes, then a line a line. */
public final class HistoryText {
    private static final int WIDEST = 60;
    private static final int LONGEST_SUBJECT = 50;
    private static final int MOST_WARNINGS = 10;
    private static final int MOST_OF_A_STATE = 16;
    private static final List<String> HEADING =
            List.of("row", "figure", "before", "now", "change", "p", "", "last before");

    private HistoryText() {}

    /**
     * @param charset of the terminal
     */
    public static String of(History h, Charset charset) {
        var text = new StringBuilder();
        line(text, Sentences.summary(h));
        List<String> warnings = h.warnings();
        for (int i = 0; i < Math.min(MOST_WARNINGS, warnings.size()); i++) {
            line(text, "WARNING: " + warnings.get(i));
        }
        if (warnings.size() > MOST_WARNINGS) {
            line(
                    text,
                    "WARNING: and %d more; --json has all"
                            .formatted(warnings.size() - MOST_WARNINGS));
        }
        for (String s : Sentences.tooFew(h)) line(text, s);
        line(text, "");
        changes(text, h);
        for (Row row : h.rows()) row(text, h, row, new Sparkline(charset));
        for (String m : Sentences.method()) line(text, m);
        return text.toString();
    }

    private static void changes(StringBuilder text, History h) {
        List<History.Found> all = h.changes();
        if (all.isEmpty()) line(text, "No change of a level was seen.");
        for (int from = 0; from < all.size(); ) {
            int to = from;
            while (to < all.size() && all.get(to).state() == all.get(from).state()) to++;
            state(text, h, all.subList(from, to));
            from = to;
        }
        line(text, "");
    }

    /** The changes since one state, the greatest first. */
    private static void state(StringBuilder text, History h, List<History.Found> changes) {
        State state = h.states().get(changes.get(0).state());
        long slower = changes.stream().filter(f -> f.line().isSlower(f.change())).count();
        line(
                text,
                "%s  %s (%s): %d slower, %d faster"
                        .formatted(
                                state.name(),
                                shortened(state.subject()),
                                state.time(),
                                slower,
                                changes.size() - slower));
        var table = new ArrayList<>(List.of(HEADING));
        for (History.Found f : changes.subList(0, Math.min(MOST_OF_A_STATE, changes.size()))) {
            Line line = f.line();
            ChangePoint c = f.change();
            table.add(
                    List.of(
                            f.row().label(),
                            line.figure().label(),
                            Format.value(line.figure(), c.before()),
                            Format.value(line.figure(), c.after()),
                            Format.change(c.change()),
                            Format.p(c.adjustedP()),
                            line.word(c),
                            h.states().get(f.stateBefore()).name()));
        }
        aligned(text, table, 2, 5);
        int more = changes.size() - MOST_OF_A_STATE;
        if (more > 0) line(text, "  and %d more; -o, --json and --csv have all".formatted(more));
    }

    private static void row(StringBuilder text, History h, Row row, Sparkline sparkline) {
        line(text, row.label());
        var table = new ArrayList<List<String>>();
        for (Line l : row.lines()) {
            int[] changes = l.changes().stream().mapToInt(ChangePoint::point).toArray();
            double[] values = Line.values(l.points());
            table.add(
                    List.of(
                            l.figure().label(),
                            row.settings().size() > 1 ? "setting " + (l.setting() + 1) : "",
                            plural(values.length, "point"),
                            Format.value(l.figure(), values[values.length - 1]),
                            sparkline.of(values, changes, WIDEST)));
        }
        aligned(text, table, 2, 3);
        for (Row.Break b : row.breaks()) {
            line(text, "  break at " + h.states().get(b.state()).name() + ": " + b.text());
        }
        line(text, "");
    }

    /** Columns {@code from} to {@code to} to the right, the others to the left. */
    private static void aligned(StringBuilder text, List<List<String>> table, int from, int to) {
        if (table.isEmpty()) return;
        int[] widths = new int[table.get(0).size()];
        for (List<String> cells : table) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], Format.plain(cells.get(i)).length());
            }
        }
        for (List<String> cells : table) {
            var line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                if (widths[i] == 0) continue;
                String cell = Format.plain(cells.get(i));
                String pad = " ".repeat(widths[i] - cell.length());
                line.append("  ").append(i >= from && i <= to ? pad + cell : cell + pad);
            }
            line(text, line.toString());
        }
    }

    private static String shortened(String subject) {
        return subject.length() <= LONGEST_SUBJECT
                ? subject
                : subject.substring(0, LONGEST_SUBJECT - 3) + "...";
    }

    private static void line(StringBuilder text, String line) {
        text.append(Format.plain(line).stripTrailing()).append('\n');
    }
}
