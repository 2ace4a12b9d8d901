package org.tokenrate.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;

/** How an error that ends the program is told: once, in a sentence. */
final class Errors {
    /** {@code java -Dtokenrate.trace=true -jar …} shows where an error comes from. */
    private static final String TRACE = "tokenrate.trace";

    private Errors() {}

    /**
     * Tells of what kept a command from its answer.
     *
     * @return the exit status: 2, since 1 is for a measurement that failed or a gate that is shut
     */
    static int report(Exception e, PrintWriter err) {
        err.println("ERROR: " + sentence(e));
        if (Boolean.getBoolean(TRACE)) e.printStackTrace(err);
        err.flush();
        return Main.BAD_ARGUMENTS;
    }

    static String sentence(Exception e) {
        if (e instanceof UncheckedIOException unchecked) return sentence(unchecked.getCause());
        if (e instanceof NoSuchFileException file) return "there is no " + file.getFile();
        if (e instanceof AccessDeniedException file) return "may not access " + file.getFile();
        if (e instanceof FileSystemException file && file.getReason() == null) {
            return file.getFile() + ": " + file.getClass().getSimpleName();
        }
        boolean plain =
                e instanceof IOException
                        || e instanceof IllegalArgumentException
                        || e instanceof CommandLineOptionException;
        if (plain && e.getMessage() != null) return e.getMessage();
        return "unexpected %s; java -D%s=true -jar … shows where, please report it"
                .formatted(e, TRACE);
    }
}
