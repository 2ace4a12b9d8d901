package org.tokenrate.cli;

import java.util.Locale;

/** Numbers for people; files have their own form. */
final class Texts {
    private Texts() {}

    /** Seconds as milliseconds; a dash if there are none. */
    static String millis(double seconds) {
        if (Double.isNaN(seconds)) return "-";
        double ms = seconds * 1000;
        return String.format(Locale.ROOT, ms < 100 ? "%.1f ms" : "%,.0f ms", ms);
    }

    static String number(double value, int decimals) {
        return Double.isNaN(value)
                ? "-"
                : String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    static String duration(long seconds) {
        if (seconds < 60) return seconds + " s";
        if (seconds < 3600) return seconds / 60 + " min " + seconds % 60 + " s";
        return seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }

    /** Text of a file without what a terminal would act on, and no longer than {@code most}. */
    static String plain(String text, int most) {
        String plain = text.replaceAll("\\p{Cntrl}+", " ").strip();
        return plain.length() <= most ? plain : plain.substring(0, most) + "…";
    }
}
