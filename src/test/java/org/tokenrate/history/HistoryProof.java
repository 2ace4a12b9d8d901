package org.tokenrate.history;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.TTest;

/**
 * The measurements of {@code history} in {@code docs/trust.md}, made again and written into it: how
 * often it marks a change in a series that has none, and what it finds of changes that were put in.
 */
public final class HistoryProof {
    private static final int SERIES = 1_000;
    private static final int[] LENGTHS = {5, 8, 12, 20, 50, 100, 200};
    private static final int[] FOUND_IN = {12, 20, 50, 100, 200};
    private static final double[] STEPS = {1, 2, 3, 5};
    private static final int[] AFTER = {2, 3, 4, 5, 6, 8, 10};
    private static final long SEED = 5;

    private final NullDistribution chance = new NullDistribution();

    private HistoryProof() {}

    public static void main(String[] args) throws IOException {
        var proof = new HistoryProof();
        Path file = Path.of("docs", "trust.md");
        String text = Files.readString(file);
        text = replaced(text, "history-false", proof.falseAlarms());
        text = replaced(text, "history-t-test", proof.falseAlarmsOfTTests());
        text = replaced(text, "history-found", proof.found());
        text = replaced(text, "history-latest", proof.latest());
        text = replaced(text, "history-bump", proof.bumps());
        Files.writeString(file, text);
    }

    /** Series without a change that are said to have one. */
    private String falseAlarms() {
        var table = new StringBuilder(heading("noise", LENGTHS, " points"));
        for (Noise noise : Noise.values()) {
            table.append("| ").append(noise.words()).append(" |");
            for (int n : LENGTHS) {
                table.append(' ').append(percent(rate(noise, n, s -> !changes(s).isEmpty())));
                table.append(" |");
            }
            table.append('\n');
        }
        return table.toString();
    }

    /** The same of Student's t-test at the split where means differ most, as Hunter has it. */
    private String falseAlarmsOfTTests() {
        var table = new StringBuilder(heading("noise, level of the t-test", LENGTHS, " points"));
        for (Noise noise : new Noise[] {Noise.NORMAL, Noise.OUTLIERS, Noise.TWO_MODES}) {
            for (double level : new double[] {0.05, 0.001}) {
                table.append("| %s, p < %s |".formatted(noise.words(), level));
                for (int n : LENGTHS) {
                    table.append(' ').append(percent(rate(noise, n, s -> tTest(s) < level)));
                    table.append(" |");
                }
                table.append('\n');
            }
        }
        return table.toString();
    }

    /** A step in the middle: how often one change and only one is found, and how far off. */
    private String found() {
        var table = new StringBuilder("| step |");
        for (int n : FOUND_IN) table.append(" %d points: found | exact | within 2 |".formatted(n));
        table.append("\n| --- |").append(" --- | --- | --- |".repeat(FOUND_IN.length)).append('\n');
        for (double step : STEPS) {
            table.append(String.format(Locale.ROOT, "| %.0f %% |", step));
            for (int n : FOUND_IN) {
                int found = 0;
                int exact = 0;
                int near = 0;
                for (int i = 0; i < SERIES; i++) {
                    List<Detection.Change> c = changes(stepped(n, n / 2, n, step, i));
                    int off = c.stream().mapToInt(x -> Math.abs(x.at() - n / 2)).min().orElse(n);
                    if (off < n) found++;
                    if (off == 0) exact++;
                    if (off <= 2) near++;
                }
                table.append(
                        " %s | %s | %s |".formatted(percent(found), percent(exact), percent(near)));
            }
            table.append('\n');
        }
        return table.toString();
    }

    /** A step a few points ago: how often it is found. */
    private String latest() {
        var table = new StringBuilder(heading("step, points before", AFTER, " after"));
        for (double step : new double[] {2, 3, 5}) {
            for (int before : new int[] {20, 100}) {
                table.append(String.format(Locale.ROOT, "| %.0f %%, %d before |", step, before));
                for (int after : AFTER) {
                    int found = 0;
                    for (int i = 0; i < SERIES; i++) {
                        int n = before + after;
                        if (!changes(stepped(n, before, n, step, i)).isEmpty()) found++;
                    }
                    table.append(' ').append(percent(found)).append(" |");
                }
                table.append('\n');
            }
        }
        return table.toString();
    }

    /** Worse for a while, then as before: how often exactly both changes are found. */
    private String bumps() {
        int[] lasts = {5, 10, 20};
        var table = new StringBuilder(heading("step, of 60 points", lasts, " points long"));
        for (double step : STEPS) {
            table.append(String.format(Locale.ROOT, "| %.0f %% |", step));
            for (int lasting : lasts) {
                int both = 0;
                for (int i = 0; i < SERIES; i++) {
                    List<Detection.Change> c = changes(stepped(60, 20, 20 + lasting, step, i));
                    if (c.size() == 2
                            && Math.abs(c.get(0).at() - 20) <= 2
                            && Math.abs(c.get(1).at() - 20 - lasting) <= 2) both++;
                }
                table.append(' ').append(percent(both)).append(" |");
            }
            table.append('\n');
        }
        return table.toString();
    }

    private interface Question {
        boolean isTrueOf(double[] series);
    }

    private int rate(Noise noise, int n, Question question) {
        int count = 0;
        for (int i = 0; i < SERIES; i++) {
            if (question.isTrueOf(noise.series(n, random(i)))) count++;
        }
        return count;
    }

    private List<Detection.Change> changes(double[] series) {
        return Detection.of(List.of(series), chance).get(0).changes();
    }

    private static double[] stepped(int n, int from, int to, double percent, int index) {
        double[] series = Noise.NORMAL.series(n, random(index));
        for (int i = from; i < to; i++) series[i] *= 1 + percent / 100;
        return series;
    }

    private static double tTest(double[] x) {
        int at = 0;
        double best = -1;
        for (int a = 2; a <= x.length - 2; a++) {
            double difference = mean(x, 0, a) - mean(x, a, x.length);
            double q = difference * difference * a * (x.length - a);
            if (q > best) {
                best = q;
                at = a;
            }
        }
        return TTest.withDefaults()
                .with(AlternativeHypothesis.TWO_SIDED)
                .test(Arrays.copyOf(x, at), Arrays.copyOfRange(x, at, x.length))
                .getPValue();
    }

    private static double mean(double[] x, int from, int to) {
        return Arrays.stream(x, from, to).average().orElseThrow();
    }

    private static SplittableRandom random(int index) {
        return new SplittableRandom(SEED + index * 1_000_003L);
    }

    private static String heading(String first, int[] columns, String unit) {
        var names = new ArrayList<String>(List.of(first));
        for (int c : columns) names.add(c + unit);
        return "| " + String.join(" | ", names) + " |\n|" + " --- |".repeat(names.size()) + "\n";
    }

    private static String percent(int count) {
        return String.format(Locale.ROOT, "%.1f %%", 100.0 * count / SERIES);
    }

    private static String replaced(String text, String name, String content) {
        System.out.println(content);
        String begin = "<!-- measured: " + name + " -->\n";
        int from = text.indexOf(begin);
        if (from < 0) throw new IllegalStateException("docs/trust.md has no section " + name);
        int to = text.indexOf("<!-- end -->", from);
        return text.substring(0, from) + begin + "\n" + content + "\n" + text.substring(to);
    }
}
