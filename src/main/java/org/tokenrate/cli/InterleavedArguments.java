package org.tokenrate.cli;

import static java.util.stream.Collectors.joining;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** JMH's arguments as {@code compare --run} hands them to the forks of both commits. */
final class InterleavedArguments {
    private static final Set<String> PATHS = Set.of("model", "dataset");
    private static final String RANDOM = "random:";

    private InterleavedArguments() {}

    /**
     * @param given by the user, after {@code --}
     * @throws IllegalArgumentException if something is among them that is not theirs to say, in one
     *     sentence
     */
    static List<String> of(List<String> given) {
        Arguments arguments = Arguments.parse(given);
        CommandLineOptions jmh;
        try {
            jmh = new CommandLineOptions(arguments.jmh().toArray(String[]::new));
        } catch (CommandLineOptionException e) {
            throw new IllegalArgumentException("after --: " + e.getMessage(), e);
        }
        if (jmh.getForkCount().hasValue()) {
            throw new IllegalArgumentException("give --forks N before --, not -f after it");
        }
        if (arguments.jmh().size() != given.size()) {
            throw new IllegalArgumentException(
                    "give --results before --; --resume has no use here");
        }
        var all = new ArrayList<String>();
        if (jmh.getIncludes().isEmpty()) all.add("RequestThroughput");
        for (int i = 0; i < given.size(); i++) {
            boolean isValue = i > 0 && given.get(i - 1).equals("-p");
            all.add(isValue ? absolute(given.get(i)) : given.get(i));
        }
        return List.copyOf(all);
    }

    /** A path of the user's is from where the user is; forks run in work trees of their own. */
    private static String absolute(String parameter) {
        String[] named = parameter.split("=", 2);
        if (named.length < 2 || !PATHS.contains(named[0])) return parameter;
        return named[0]
                + "="
                + Arrays.stream(named[1].split(",", -1))
                        .map(InterleavedArguments::absolutePath)
                        .collect(joining(","));
    }

    private static String absolutePath(String value) {
        String kind = value.startsWith(RANDOM) ? RANDOM : "";
        Path path = Path.of(value.substring(kind.length()));
        return !path.toString().isEmpty() && Files.exists(path)
                ? kind + path.toAbsolutePath()
                : value;
    }
}
