package org.tokenrate.cli;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What JMH's output says of a combination that fails, told from all else that it says. */
final class Failure {
    /** Exceptions whose message says it all: their class would say nothing to a user. */
    private static final Pattern PLAIN =
            Pattern.compile(
                    "(java\\.lang\\.Illegal(Argument|State)Exception"
                            + "|java\\.io\\.IOException|org\\.tokenrate\\.[\\w.]+Exception): ");

    private static final Pattern EXIT = Pattern.compile("<forked VM failed with exit code (\\d+)>");
    private static final String QUIT = "<failure: VM prematurely exited";
    private static final String FRAME = "\n\tat ";
    private static final int SIGNALLED = 128;

    private Failure() {}

    static boolean isTrace(String line) {
        return line.contains(FRAME);
    }

    /** The reason, if the line gives one: of a stack trace, the message. */
    static Optional<String> reason(String line) {
        if (isTrace(line)) {
            String first = line.substring(0, line.indexOf(FRAME)).strip();
            boolean ours = PLAIN.matcher(first).lookingAt();
            return Optional.of(ours ? first.substring(first.indexOf(": ") + 2) : first);
        }
        if (line.startsWith(QUIT)) return Optional.of("the fork's JVM was told to exit early");
        Matcher exit = EXIT.matcher(line);
        if (!exit.matches()) return Optional.empty();
        int status = Integer.parseInt(exit.group(1));
        String signal = status > SIGNALLED ? " (signal " + (status - SIGNALLED) + ")" : "";
        return Optional.of("the fork's JVM ended with status " + status + signal);
    }
}
