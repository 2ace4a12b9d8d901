package org.tokenrate.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tokenrate.compare.Figure;

/** Gathers the points of one combination of parameters, state after state. */
final class RowBuilder {
    private static final int LONGEST_VALUE = 60;
    private static final int MOST_FACTS = 4;

    /** A line before its changes are known. */
    record Series(int setting, Figure figure, List<Point> points) {}

    private final List<Map<String, String>> settings = new ArrayList<>();
    private final List<Map<Figure, List<Point>>> points = new ArrayList<>();
    private final List<Row.Break> breaks = new ArrayList<>();
    private int lastSetting = -1;

    /** Adds what all runs of a state measured with this combination. */
    void add(int state, List<MeasuredRun.Combination> measured) {
        Map<Integer, Map<Figure, List<double[]>>> bySetting = new TreeMap<>();
        for (MeasuredRun.Combination c : measured) {
            if (c.forks().isEmpty()) continue;
            Map<Figure, List<double[]>> forks =
                    bySetting.computeIfAbsent(index(c.setting()), k -> new EnumMap<>(Figure.class));
            c.forks().forEach((f, v) -> forks.computeIfAbsent(f, k -> new ArrayList<>()).add(v));
        }
        if (bySetting.isEmpty()) return;
        bySetting.forEach(
                (setting, figures) ->
                        figures.forEach(
                                (figure, forks) ->
                                        points.get(setting)
                                                .computeIfAbsent(figure, k -> new ArrayList<>())
                                                .add(Point.of(state, joined(forks)))));
        Set<Integer> here = bySetting.keySet();
        if (lastSetting >= 0 && !here.contains(lastSetting)) {
            int next = here.iterator().next();
            breaks.add(
                    new Row.Break(
                            state, difference(settings.get(lastSetting), settings.get(next))));
        }
        if (!here.contains(lastSetting)) lastSetting = here.iterator().next();
    }

    List<Series> series() {
        var all = new ArrayList<Series>();
        for (int s = 0; s < points.size(); s++) {
            int setting = s;
            points.get(s).forEach((f, p) -> all.add(new Series(setting, f, List.copyOf(p))));
        }
        return all;
    }

    List<Map<String, String>> settings() {
        return List.copyOf(settings);
    }

    List<Row.Break> breaks() {
        return List.copyOf(breaks);
    }

    /** Of the setting among those seen; there are few. */
    private int index(Map<String, String> setting) {
        int at = settings.indexOf(setting);
        if (at >= 0) return at;
        settings.add(setting);
        points.add(new EnumMap<>(Figure.class));
        return settings.size() - 1;
    }

    private static double[] joined(List<double[]> forks) {
        return forks.stream().flatMapToDouble(Arrays::stream).toArray();
    }

    /** E.g. {@code cpu: A, before B}. */
    static String difference(Map<String, String> before, Map<String, String> after) {
        var names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        names.removeIf(n -> before.getOrDefault(n, "").equals(after.getOrDefault(n, "")));
        var parts = new ArrayList<String>();
        for (String n : names) {
            if (parts.size() == MOST_FACTS) {
                parts.add("and " + (names.size() - MOST_FACTS) + " more");
                break;
            }
            parts.add(n + ": " + text(after.get(n)) + ", before " + text(before.get(n)));
        }
        return String.join("; ", parts);
    }

    private static String text(String value) {
        if (value == null) return "not known";
        if (value.isEmpty()) return "none";
        return value.length() <= LONGEST_VALUE ? value : value.substring(0, LONGEST_VALUE) + "...";
    }
}
