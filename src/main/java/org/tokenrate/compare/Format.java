package org.tokenrate.compare;

import java.util.Locale;

/** Numbers and text for people. */
public final class Format {
    static final String NONE = "-";

    private Format() {}

    public static String number(double value, int decimals) {
        return Double.isNaN(value)
                ? NONE
                : String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** A figure with its unit, where it has one. */
    public static String value(Figure figure, double value) {
        if (Double.isNaN(value)) return NONE;
        if (figure.higherIsBetter()) return number(value, 1);
        double ms = value * 1000;
        return number(ms, ms < 10 ? 3 : ms < 1000 ? 1 : 0) + " ms";
    }

    /** A ratio as signed percent. */
    public static String change(double ratio) {
        return Double.isNaN(ratio) ? NONE : String.format(Locale.ROOT, "%+.1f %%", 100 * ratio);
    }

    public static String interval(Interval i) {
        if (!i.isKnown()) return NONE;
        return String.format(Locale.ROOT, "%+.1f to %+.1f %%", 100 * i.low(), 100 * i.high());
    }

    public static String p(double p) {
        if (Double.isNaN(p)) return NONE;
        return p < 0.0001 ? "<0.0001" : String.format(Locale.ROOT, "%.4f", p);
    }

    /** Text of a result file without what a terminal would act on. */
    public static String plain(String text) {
        return text.replaceAll("\\p{Cntrl}", " ");
    }
}
