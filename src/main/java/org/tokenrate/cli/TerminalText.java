package org.tokenrate.cli;

import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.util.Locale;

/** Bars and foreign text for a terminal of 80 columns and a charset that may lack much. */
final class TerminalText {
    static final int COLUMNS = 80;

    private static final int BAR_COLUMNS = 45;
    private static final int EIGHTHS = 8;
    private static final String FULL = "\u2588";
    private static final String ASCII_FULL = "#";

    /** One to seven eighths of a cell, from the left. */
    private static final String PARTS = "\u258f\u258e\u258d\u258c\u258b\u258a\u2589";

    private final CharsetEncoder encoder;
    private final boolean blocks;

    TerminalText(Charset charset) {
        encoder =
                charset.canEncode()
                        ? charset.newEncoder()
                        : Charset.forName("US-ASCII").newEncoder();
        blocks = encoder.canEncode(FULL + PARTS);
    }

    /**
     * How many values are 1, 2 to 3, 4 to 7 and so on: a line each, from the least that there is to
     * the greatest.
     *
     * @param values each at least 1
     */
    String histogram(int[] values) {
        int[] counts = new int[Integer.SIZE];
        int first = Integer.SIZE;
        int last = 0;
        int most = 1;
        for (int value : values) {
            int bin = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(Math.max(1, value));
            most = Math.max(most, ++counts[bin]);
            first = Math.min(first, bin);
            last = Math.max(last, bin);
        }
        var text = new StringBuilder();
        for (int bin = first; bin <= last; bin++) {
            long low = 1L << bin;
            String line =
                    String.format(
                            Locale.ROOT,
                            "%8d to %-8d %10s  %s",
                            low,
                            2 * low - 1,
                            Texts.number(counts[bin], 0),
                            bar((double) counts[bin] / most));
            text.append(line.stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /**
     * @param part of the longest bar, from 0 to 1
     */
    private String bar(double part) {
        if (!blocks) {
            // What is there shows, however little it is.
            long cells = Math.round(part * BAR_COLUMNS);
            return ASCII_FULL.repeat((int) (part > 0 ? Math.max(1, cells) : 0));
        }
        int eighths = (int) Math.round(part * BAR_COLUMNS * EIGHTHS);
        if (part > 0) eighths = Math.max(1, eighths);
        int rest = eighths % EIGHTHS;
        return FULL.repeat(eighths / EIGHTHS) + (rest == 0 ? "" : PARTS.charAt(rest - 1));
    }

    /**
     * Text in one line of at most so many columns, with nothing in it that moves the cursor, hides,
     * or cannot be shown: such characters are written as in Java, {@code \n} or {@code \u202e}.
     */
    String visible(String text, int columns) {
        String dots = encoder.canEncode('\u2026') ? "\u2026" : "...";
        var line = new StringBuilder();
        int used = 0;
        int kept = 0; // the length that leaves room for the dots
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            String shown = shown(c);
            used += shown.length() > 2 || c < 128 ? shown.length() : width(c);
            if (used > columns) return line.substring(0, kept) + dots;
            line.append(shown);
            if (used + dots.length() <= columns) kept = line.length();
            i += Character.charCount(c);
        }
        return line.toString();
    }

    private String shown(int c) {
        switch (c) {
            case '\n':
                return "\\n";
            case '\r':
                return "\\r";
            case '\t':
                return "\\t";
            case '\\':
                return "\\\\";
            default:
                break;
        }
        String text = Character.toString(c);
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK ->
                    escaped(text);
            default -> encoder.canEncode(text) ? text : escaped(text);
        };
    }

    private static String escaped(String text) {
        var escaped = new StringBuilder();
        for (char unit : text.toCharArray()) {
            escaped.append(String.format(Locale.ROOT, "\\u%04x", (int) unit));
        }
        return escaped.toString();
    }

    /** Columns that a terminal gives a character: ideographs and pictures take two. */
    private static int width(int c) {
        boolean wide =
                switch (Character.UnicodeScript.of(c)) {
                    case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO -> true;
                    default ->
                            c >= 0x3000 && c <= 0x303f
                                    || c >= 0xff00 && c <= 0xff60
                                    || c >= 0x1f000;
                };
        return wide ? 2 : 1;
    }
}
