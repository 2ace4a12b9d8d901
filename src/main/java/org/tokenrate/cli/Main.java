package org.tokenrate.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * The jar's entry point: any of JMH's arguments, or one of our own words first. Exits with 0 if all
 * went well, 1 if a run, a request or a gate failed, 2 if the arguments or the files they name are
 * wrong.
 */
public final class Main {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int BAD_ARGUMENTS = 2;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    static int run(String... args) {
        // Forks have -p logLevel; what this JVM has to say, it says itself.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        if (args.length == 1 && args[0].equals("help")) return run("-h");
        if (args.length > 0 && RootCommand.knows(args[0])) {
            return RootCommand.commandLine().execute(args);
        }
        try {
            return jmh(List.of(args));
        } catch (Exception e) {
            return Errors.report(e, new PrintWriter(System.err, true));
        }
    }

    private static int jmh(List<String> args) throws Exception {
        if (!args.isEmpty()) requireNoSlip(args.get(0));
        Arguments arguments = Arguments.parse(args);
        String[] plain = arguments.jmh().toArray(String[]::new);
        var jmh = new CommandLineOptions(plain);
        if (jmh.shouldHelp()) {
            System.out.println(Help.text());
            jmh.showHelp();
            return OK;
        }
        if (lists(jmh)) {
            org.openjdk.jmh.Main.main(plain);
            return OK;
        }
        return new RunCommand(arguments, jmh).run();
    }

    /**
     * JMH would take a mistyped subcommand as the name of a benchmark, and its options as wrong.
     */
    private static void requireNoSlip(String word) {
        if (word.startsWith("-")) return;
        Optional<String> meant = RootCommand.nearest(word);
        if (meant.isPresent() && !Plan.matchesBenchmark(word)) {
            throw new IllegalArgumentException(
                    "'%s' is no subcommand and matches no benchmark; did you mean %s? (-h shows the subcommands, -l lists the benchmarks)"
                            .formatted(word, meant.get()));
        }
    }

    private static boolean lists(CommandLineOptions jmh) {
        return jmh.shouldList()
                || jmh.shouldListWithParams()
                || jmh.shouldListProfilers()
                || jmh.shouldListResultFormats();
    }
}
