package org.tokenrate.html;

/**
 * One line of a chart: a value at every x of the chart, NaN where there is none.
 *
 * @param name as the legend shows it
 * @param color index into a palette of eight; markers follow it. Palette: after Okabe and Ito
 * @param dash index into four patterns, the first of which is solid
 * @param shown at first; the legend switches it on and off
 * @param y values
 * @param low lower ends of intervals around them; empty if there are none
 * @param high upper ends
 */
public record Series(
        String name, int color, int dash, boolean shown, double[] y, double[] low, double[] high) {
    private static final double[] NONE = {};

    public Series {
        if (low.length != high.length || (low.length > 0 && low.length != y.length)) {
            throw new IllegalArgumentException(
                    "%s has %d values, %d lower and %d upper ends"
                            .formatted(name, y.length, low.length, high.length));
        }
    }

    /** The n-th of a chart, told from its neighbours by colour, marker and dash. */
    public static Series of(String name, int n, double[] y) {
        return new Series(name, n % 8, n / 8 % 4, n < 8, y, NONE, NONE);
    }

    /** With an interval around each value, drawn as a whisker. */
    public Series within(double[] lowEnds, double[] highEnds) {
        return new Series(name, color, dash, shown, y, lowEnds, highEnds);
    }

    public Series styled(int newColor, int newDash) {
        return new Series(name, newColor, newDash, shown, y, low, high);
    }

    public Series shown(boolean atFirst) {
        return new Series(name, color, dash, atFirst, y, low, high);
    }
}
