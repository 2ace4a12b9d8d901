package org.tokenrate.compare;

import static java.util.stream.Collectors.joining;

import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Order and names of parameter combinations. */
public final class RowLabels {
    /** By value after value, numbers as numbers. */
    public static final Comparator<Map<String, String>> BY_VALUES =
            (a, b) -> {
                var names = new TreeSet<>(a.keySet());
                names.addAll(b.keySet());
                for (String n : names) {
                    int c = compare(a.getOrDefault(n, ""), b.getOrDefault(n, ""));
                    if (c != 0) return c;
                }
                return 0;
            };

    private static int compare(String a, String b) {
        boolean isNumberA = a.matches("\\d{1,15}");
        boolean isNumberB = b.matches("\\d{1,15}");
        if (isNumberA != isNumberB) return isNumberA ? -1 : 1;
        int c = isNumberA ? Long.compare(Long.parseLong(a), Long.parseLong(b)) : 0;
        return c != 0 ? c : a.compareTo(b);
    }

    private RowLabels() {}

    /** The parameters that do not have the same value in all combinations. */
    public static Set<String> varying(Collection<Map<String, String>> combinations) {
        var names = new TreeSet<String>();
        for (var c : combinations) names.addAll(c.keySet());
        names.removeIf(
                n -> combinations.stream().map(c -> c.getOrDefault(n, "")).distinct().count() == 1);
        return names;
    }

    /** E.g. {@code concurrency=16, tp=2}; {@code all} if nothing varies. */
    public static String label(Map<String, String> combination, Set<String> varying) {
        if (varying.isEmpty()) return "all";
        return varying.stream()
                .map(n -> n + "=" + combination.getOrDefault(n, ""))
                .collect(joining(", "));
    }
}
