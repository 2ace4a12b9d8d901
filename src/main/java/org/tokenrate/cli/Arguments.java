package org.tokenrate.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The command line, with what is ours told apart from what is JMH's.
 *
 * @param all as given
 * @param jmh what JMH gets
 * @param results base folder for results
 * @param parameterNames names after {@code -p}, which JMH parses but does not tell
 */
record Arguments(List<String> all, List<String> jmh, Path results, Set<String> parameterNames) {
    private static final String RESULTS = "--results";

    /** The base folder unless {@code --results} or this system property gives another. */
    private static final String RESULTS_PROPERTY = "tokenrate.results";

    static Arguments parse(List<String> args) {
        String results = System.getProperty(RESULTS_PROPERTY, "results");
        var jmh = new ArrayList<String>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals(RESULTS)) {
                if (++i == args.size()) {
                    throw new IllegalArgumentException(
                            "--results needs a folder, e.g. --results /tmp/results");
                }
                results = args.get(i);
            } else if (arg.startsWith(RESULTS + "=")) {
                results = arg.substring(RESULTS.length() + 1);
            } else {
                jmh.add(arg);
            }
        }
        return new Arguments(args, List.copyOf(jmh), Path.of(results), parameterNames(jmh));
    }

    private static Set<String> parameterNames(List<String> jmh) {
        var names = new LinkedHashSet<String>();
        for (int i = 0; i + 1 < jmh.size(); i++) {
            if (jmh.get(i).equals("-p")) names.add(jmh.get(++i).split("=", 2)[0]);
        }
        return names;
    }
}
