package org.tokenrate.history;

import java.nio.charset.Charset;
import java.util.Arrays;
import org.tokenrate.compare.Sample;

/** A line of points in a line of text, with a bar before each new level. */
final class Sparkline {
    private static final String BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
    private static final char BLOCK_BAR = '\u2502';
    private static final String DIGITS = "12345678";
    private static final char PLAIN_BAR = '|';

    private final String levels;
    private final char bar;

    /**
     * @param charset of the terminal; one without block characters gets digits
     */
    Sparkline(Charset charset) {
        boolean blocks = charset.canEncode() && charset.newEncoder().canEncode(BLOCKS + BLOCK_BAR);
        levels = blocks ? BLOCKS : DIGITS;
        bar = blocks ? BLOCK_BAR : PLAIN_BAR;
    }

    /**
     * @param changes indices of first points of new levels, ascending
     * @param width the most points to show; of more, neighbours are shown as their median
     */
    String of(double[] values, int[] changes, int width) {
        double least = Arrays.stream(values).min().orElse(0);
        double range = Arrays.stream(values).max().orElse(0) - least;
        int shown = Math.min(values.length, width);
        var text = new StringBuilder();
        int change = 0;
        for (int i = 0; i < shown; i++) {
            int from = (int) ((long) values.length * i / shown);
            int to = (int) ((long) values.length * (i + 1) / shown);
            if (change < changes.length && changes[change] < to) {
                text.append(bar);
                while (change < changes.length && changes[change] < to) change++;
            }
            double value = Sample.median(Arrays.copyOfRange(values, from, to));
            int level = range > 0 ? (int) Math.round((value - least) / range * 7) : 3;
            text.append(levels.charAt(level));
        }
        return text.toString();
    }
}
