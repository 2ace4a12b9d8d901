package org.tokenrate.report.page;

import static java.util.stream.Collectors.joining;

import java.util.Collection;
import java.util.Locale;

/** Numbers and names for people. */
final class Words {
    static final String NONE = "-";
    private static final int MOST_NAMES = 5;

    private Words() {}

    static String number(double value, int decimals) {
        return Double.isNaN(value)
                ? NONE
                : String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** With three or four digits. */
    static String seconds(double value) {
        if (Double.isNaN(value)) return NONE;
        if (value >= 1) return number(value, value < 100 ? 2 : 0) + " s";
        return value < 1e-3 ? digits(value * 1e6) + " \u00b5s" : digits(value * 1e3) + " ms";
    }

    private static String digits(double value) {
        return number(value, value < 10 ? 3 : value < 100 ? 2 : 1);
    }

    static String count(long n, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", n, noun, n == 1 ? "" : "s");
    }

    /** The first of them, and how many more there are. */
    static String some(Collection<String> names) {
        String first = names.stream().limit(MOST_NAMES).collect(joining("; "));
        int more = names.size() - MOST_NAMES;
        return more > 0 ? first + "; and " + more + " more" : first;
    }
}
