package org.tokenrate.cli;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The words of our own that may stand first on the command line; anything else is JMH's.
 *
 * <p>A subcommand is a class with {@code @Command(name = …)}, a {@link HelpOption} and a {@code
 * call} that returns an exit status or throws, and a line here.
 */
@Command(
        name = "java -jar benchmarks.jar",
        subcommands = {
            CsvCommand.class,
            CompareCommand.class,
            DoctorCommand.class,
            CompletionCommand.class,
            HelpCommand.class
        })
final class RootCommand {
    /** What a subcommand begins with in a usage line. */
    static final String PROGRAM = "java -jar benchmarks.jar";

    static CommandLine commandLine() {
        return new CommandLine(new RootCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((e, args) -> badArguments(e))
                .setExecutionExceptionHandler(
                        (e, command, parsed) -> Errors.report(e, command.getErr()));
    }

    static boolean knows(String word) {
        return commandLine().getSubcommands().containsKey(word);
    }

    /** The subcommand that a mistyped word was likely meant to be. */
    static Optional<String> nearest(String word) {
        return Spelling.nearest(word, List.copyOf(commandLine().getSubcommands().keySet()));
    }

    private static int badArguments(ParameterException e) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName().substring(PROGRAM.length()).strip();
        var text = new StringBuilder(e.getMessage());
        if (e instanceof UnmatchedArgumentException unmatched && unmatched.isUnknownOption()) {
            Spelling.nearest(
                            unmatched.getUnmatched().get(0).split("=", 2)[0],
                            List.copyOf(command.getCommandSpec().optionsMap().keySet()))
                    .ifPresent(option -> text.append("; did you mean ").append(option).append('?'));
        }
        text.append(" (").append(name).append(" --help shows all)");
        return Errors.report(new IllegalArgumentException(text.toString(), e), command.getErr());
    }
}
