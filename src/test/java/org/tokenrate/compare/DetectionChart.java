package org.tokenrate.compare;

import java.util.Locale;

/** Detection rate against forks a side, a line a slowdown, as SVG. */
final class DetectionChart {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 360;
    private static final int LEFT = 60;
    private static final int RIGHT = 130;
    private static final int TOP = 30;
    private static final int BOTTOM = 50;

    /** Of Okabe and Ito, told apart by the colour-blind too. */
    private static final String[] COLOURS = {"#0072b2", "#d55e00", "#009e73"};

    private DetectionChart() {}

    /**
     * @param rates by slowdown, then by forks, from 0 to 1
     */
    static String of(int[] slowdowns, int[] forks, double[][] rates) {
        int most = forks[forks.length - 1];
        var svg = new StringBuilder();
        add(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">",
                WIDTH,
                HEIGHT);
        add(svg, "<title>Detection rate of a slowdown against the number of forks</title>");
        add(svg, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>", WIDTH, HEIGHT);
        for (int percent = 0; percent <= 100; percent += 20) {
            double y = y(percent / 100.0);
            add(
                    svg,
                    "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>",
                    LEFT,
                    y,
                    WIDTH - RIGHT,
                    LEFT - 8,
                    y + 4,
                    percent);
        }
        for (int f : forks) {
            add(
                    svg,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>",
                    x(f, most),
                    HEIGHT - BOTTOM + 20,
                    f);
        }
        add(
                svg,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">forks a side, one iteration each</text>",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 10);
        add(svg, "<text x=\"%d\" y=\"18\">share of comparisons that say slower</text>", LEFT);
        for (int s = 0; s < slowdowns.length; s++) line(svg, s, slowdowns, forks, rates[s]);
        return svg.append("</svg>\n").toString();
    }

    private static void line(
            StringBuilder svg, int s, int[] slowdowns, int[] forks, double[] rates) {
        int most = forks[forks.length - 1];
        var path = new StringBuilder();
        for (int i = 0; i < forks.length; i++) {
            double x = x(forks[i], most);
            double y = y(rates[i]);
            path.append(String.format(Locale.ROOT, "%s%.1f %.1f", i == 0 ? "M" : "L", x, y));
            add(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>", x, y, COLOURS[s]);
        }
        add(
                svg,
                "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>",
                path,
                COLOURS[s]);
        // Lines that end at the same height would have their names on top of each other.
        double labelY = TOP + 18 * (slowdowns.length - s);
        add(
                svg,
                "<path d=\"M%d %.1fh16\" stroke=\"%s\" stroke-width=\"2\"/><text x=\"%d\" y=\"%.1f\">%d %% slower</text>",
                WIDTH - RIGHT + 12,
                labelY - 4,
                COLOURS[s],
                WIDTH - RIGHT + 34,
                labelY,
                slowdowns[s]);
    }

    private static double x(int forks, int most) {
        return LEFT + (WIDTH - LEFT - RIGHT - 10) * (double) forks / most;
    }

    private static double y(double rate) {
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate);
    }

    private static void add(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
