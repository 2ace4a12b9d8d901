package org.tokenrate.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The command line, with what is ours told apart from what is JMH's.
 *
 * @param all as given
 * @param jmh what JMH gets
 * @param results base folder for results
 * @param parameterNames names after {@code -p}, which JMH parses but does not tell
 * @param resume whether to go on with a run that was stopped
 */
record Arguments(
        List<String> all,
        List<String> jmh,
        Path results,
        Set<String> parameterNames,
        Optional<Resume> resume) {
    private static final String RESUME = "--resume";

    /**
     * @param folder the run's; the newest unfinished one of this commit if not given
     */
    record Resume(Optional<Path> folder) {}

    private static final String RESULTS = "--results";

    private static final String PROFILER = "-prof";

    /** The base folder unless {@code --results} or this system property gives another. */
    private static final String RESULTS_PROPERTY = "tokenrate.results";

    static Arguments parse(List<String> args) {
        String results = System.getProperty(RESULTS_PROPERTY, "results");
        Optional<Resume> resume = Optional.empty();
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
            } else if (arg.equals(RESUME)) {
                boolean named = i + 1 < args.size() && !args.get(i + 1).startsWith("-");
                Optional<Path> folder =
                        named ? Optional.of(Path.of(args.get(++i))) : Optional.empty();
                resume = Optional.of(new Resume(folder));
            } else if (arg.startsWith(RESUME + "=")) {
                Path folder = Path.of(arg.substring(RESUME.length() + 1));
                resume = Optional.of(new Resume(Optional.of(folder)));
            } else if (arg.equals(PROFILER) && i + 1 < args.size()) {
                jmh.add(arg);
                jmh.add(OwnProfilers.className(args.get(++i)));
            } else {
                jmh.add(arg);
            }
        }
        return new Arguments(args, List.copyOf(jmh), Path.of(results), parameterNames(jmh), resume);
    }

    private static Set<String> parameterNames(List<String> jmh) {
        var names = new LinkedHashSet<String>();
        for (int i = 0; i + 1 < jmh.size(); i++) {
            if (jmh.get(i).equals("-p")) names.add(jmh.get(++i).split("=", 2)[0]);
        }
        return names;
    }
}
