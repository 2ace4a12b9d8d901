package org.tokenrate.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.tokenrate.run.ParameterStyle;
import org.tokenrate.run.RequestParameters;
import org.tokenrate.run.RunRecord.Combination;

/**
 * What a run is going to run, known and checked before it starts.
 *
 * @param combinations every benchmark with every combination of its parameters, in the order in
 *     which JMH runs them
 * @param swept names of the main job's parameters that have several values
 */
record Plan(List<Combination> combinations, List<String> swept) {
    private static final Comparator<String> SHOWN =
            Comparator.<String>comparingInt(RequestParameters.names()::indexOf)
                    .thenComparing(Comparator.naturalOrder());
    private static final String REQUEST_THROUGHPUT = ".RequestThroughputBenchmark.";

    /**
     * @param parameterNames names given with {@code -p}
     * @param style in which errors name a parameter
     * @throws IllegalArgumentException for the first thing that is wrong: no benchmark of that
     *     name, no parameter of that name, a bad value in any combination
     */
    static Plan of(Options options, Set<String> parameterNames, ParameterStyle style) {
        Collection<BenchmarkListEntry> benchmarks =
                find(options.getIncludes(), options.getExcludes());
        if (benchmarks.isEmpty()) {
            throw new IllegalArgumentException(
                    "no benchmark matches "
                            + options.getIncludes()
                            + "; -l lists them, -h the subcommands");
        }
        requireKnown(parameterNames, benchmarks);
        var combinations = new ArrayList<Combination>();
        var swept = new ArrayList<String>();
        for (BenchmarkListEntry b : benchmarks) {
            Map<String, List<String>> values = values(b, options);
            // JMH goes through the names in alphabetical order.
            for (Map<String, String> params : product(new TreeMap<>(values))) {
                var shown = new LinkedHashMap<String, String>();
                for (String name : values.keySet()) shown.put(name, params.get(name));
                combinations.add(new Combination(b.getUsername(), shown));
            }
            if (isRequestThroughput(b.getUsername())) {
                values.forEach((name, list) -> requireDistinct(name, list));
                values.forEach((name, list) -> addIf(list.size() > 1, name, swept));
            } else {
                values.forEach((name, list) -> requireNumbers(name, list, defaults(b).get(name)));
            }
        }
        var plan = new Plan(List.copyOf(combinations), List.copyOf(swept));
        if (plan.hasRequestThroughput()) plan.check(options, style);
        return plan;
    }

    static boolean matchesBenchmark(String regexp) {
        return !find(List.of(regexp), List.of()).isEmpty();
    }

    private static Collection<BenchmarkListEntry> find(
            List<String> includes, List<String> excludes) {
        var silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        return BenchmarkList.defaultList().find(silent, includes, excludes);
    }

    static boolean isRequestThroughput(String benchmark) {
        return benchmark.contains(REQUEST_THROUGHPUT);
    }

    private boolean hasRequestThroughput() {
        return combinations.stream().anyMatch(c -> isRequestThroughput(c.benchmark()));
    }

    private void check(Options options, ParameterStyle style) {
        int threads = options.getThreads().orElse(1);
        if (threads != 1) {
            throw new IllegalArgumentException(
                    "-t "
                            + threads
                            + " must be 1: one thread keeps all requests in flight; for more of"
                            + " them at once use e.g. -p concurrency=16");
        }
        for (Combination c : combinations) {
            if (isRequestThroughput(c.benchmark())) {
                RequestParameters.of(c.params()::get, style);
            }
        }
    }

    private static void requireKnown(Set<String> names, Collection<BenchmarkListEntry> benchmarks) {
        var known = new TreeSet<String>();
        for (BenchmarkListEntry b : benchmarks) known.addAll(defaults(b).keySet());
        for (String name : names) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "-p "
                                + name
                                + " is no parameter of the chosen benchmarks; they have "
                                + String.join(", ", known));
            }
        }
    }

    private static void requireDistinct(String name, List<String> values) {
        var seen = new HashSet<String>();
        for (String value : values) {
            if (!seen.add(value)) {
                throw new IllegalArgumentException(
                        name + "=" + value + " is given twice; for more measurements use -i or -f");
            }
        }
    }

    /** Where every default is a whole number, so must be what is given. */
    private static void requireNumbers(String name, List<String> values, String[] defaults) {
        if (!Stream.of(defaults).allMatch(Plan::isInt)) return;
        for (String value : values) {
            if (isInt(value)) continue;
            throw new IllegalArgumentException(
                    "%s=%s must be a whole number of at most 9 digits, e.g. -p %s=%s"
                            .formatted(name, value, name, defaults[0]));
        }
    }

    private static boolean isInt(String value) {
        return value.matches("-?[0-9]{1,9}");
    }

    /** Values by name; the main job's in the order in which they are shown. */
    private static Map<String, List<String>> values(BenchmarkListEntry b, Options options) {
        Map<String, String[]> defaults = defaults(b);
        var names = new TreeSet<String>(SHOWN);
        names.addAll(defaults.keySet());
        var all = new LinkedHashMap<String, List<String>>();
        for (String name : names) {
            var given = options.getParameter(name);
            all.put(name, List.copyOf(given.orElse(List.of(defaults.get(name)))));
        }
        return all;
    }

    private static Map<String, String[]> defaults(BenchmarkListEntry b) {
        return b.getParams().orElse(Map.of());
    }

    private static List<Map<String, String>> product(Map<String, List<String>> values) {
        List<Map<String, String>> all = List.of(Map.of());
        for (var e : values.entrySet()) {
            var longer = new ArrayList<Map<String, String>>();
            for (Map<String, String> one : all) {
                for (String value : e.getValue()) {
                    var with = new LinkedHashMap<>(one);
                    with.put(e.getKey(), value);
                    longer.add(with);
                }
            }
            all = longer;
        }
        return all;
    }

    private static void addIf(boolean condition, String name, List<String> list) {
        if (condition) list.add(name);
    }
}
