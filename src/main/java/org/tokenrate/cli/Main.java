package org.tokenrate.cli;

import java.io.IOException;
import java.util.List;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * The jar's entry point: any of JMH's arguments, or one of our own words first. Exits with 0 if all
 * went well, 1 if a run or a request failed, 2 if the arguments are wrong.
 */
public final class Main {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int BAD_ARGUMENTS = 2;

    private Main() {}

    public static void main(String[] args) throws IOException {
        System.exit(run(args));
    }

    static int run(String... args) throws IOException {
        // Forks have -p logLevel; what this JVM has to say, it says itself.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        if (args.length > 0 && args[0].equals("csv")) {
            return CsvCommand.run(List.of(args).subList(1, args.length));
        }
        if (args.length > 0 && args[0].equals("compare")) {
            return CompareCommand.run(List.of(args).subList(1, args.length));
        }
        try {
            Arguments arguments = Arguments.parse(List.of(args));
            var jmh = new CommandLineOptions(arguments.jmh().toArray(String[]::new));
            if (jmh.shouldHelp()) {
                System.out.println(Help.TEXT);
                jmh.showHelp();
                return OK;
            }
            if (lists(jmh)) {
                org.openjdk.jmh.Main.main(arguments.jmh().toArray(String[]::new));
                return OK;
            }
            return new RunCommand(arguments, jmh).run();
        } catch (CommandLineOptionException | IllegalArgumentException | IOException e) {
            System.err.println("ERROR: " + e.getMessage());
            return BAD_ARGUMENTS;
        }
    }

    private static boolean lists(CommandLineOptions jmh) {
        return jmh.shouldList()
                || jmh.shouldListWithParams()
                || jmh.shouldListProfilers()
                || jmh.shouldListResultFormats();
    }
}
