package org.tokenrate.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.tokenrate.compare.Compare;
import org.tokenrate.compare.CompareOptions;
import org.tokenrate.compare.Side;
import org.tokenrate.interleave.Interleaving;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code compare}: whether a commit is faster or slower than another, and how sure that is. */
@Command(
        name = "compare",
        sortOptions = false,
        description = {
            "Says of every figure whether it became faster or slower, and how sure that is.",
            "",
            "BASE and CANDIDATE are commits (folders in the results, or an unambiguous beginning;"
                    + " all runs of a commit count, as further forks), folders of runs, or jmh.json"
                    + " files. Rows are matched by their parameters. A verdict needs several forks"
                    + " a side: run with -f 8 or more.",
            "",
            "With --run, BASE and CANDIDATE are anything that git takes for a commit, or . for the"
                    + " work tree as it is. Both are checked out into folders of their own, built,"
                    + " and run in turn, a fork of each (A B B A A B ...), with JMH's arguments"
                    + " after --; then those forks are compared.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  compare 1a2b3c4 5d6e7f8",
            "  compare 1a2b3c4 5d6e7f8 --fail-over 3%% --markdown comment.md",
            "  compare cpu/jmh.json cuda/jmh.json --across engine --force",
            "  compare --run v1.0 main --forks 10 -- -p concurrency=1,16 -p numPrompts=64",
            "  compare --run HEAD . -- -p numPrompts=64"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:nothing is shown to be slower by more than --fail-over, or none was given",
            "1:something is slower by more than --fail-over, or a fork of --run failed",
            "2:the arguments or the results do not allow a comparison"
        })
final class CompareCommand implements Callable<Integer> {
    private static final int FORKS = 10;
    private static final int MOST_FORKS = 10_000;

    @Parameters(index = "0", paramLabel = "BASE", description = "what to compare with")
    private String base;

    @Parameters(index = "1", paramLabel = "CANDIDATE", description = "what to judge")
    private String candidate;

    @Parameters(
            index = "2..*",
            paramLabel = "-- JMH-ARGS",
            arity = "0..*",
            description = "with --run: what to run, as without a subcommand")
    private List<String> jmhArguments = List.of();

    @Option(
            names = "--run",
            description = "build and run both commits, their forks in turn, then compare these")
    private boolean run;

    @Option(
            names = "--forks",
            paramLabel = "N",
            description = "with --run: forks of each side; 10 unless given")
    private Optional<Integer> forks = Optional.empty();

    @Option(
            names = "--fail-over",
            paramLabel = "PERCENT",
            converter = Percent.class,
            description =
                    "exit with 1 if a figure is slower by more than this, and not by chance;"
                            + " e.g. 3%%")
    private Optional<Double> failOver = Optional.empty();

    @Option(
            names = "--force",
            description = "compare although machine, JVM, model or dataset differ")
    private boolean force;

    @Option(
            names = "--across",
            paramLabel = "NAME",
            split = ",",
            description = "parameters that are meant to differ, e.g. engine")
    private Set<String> across = Set.of();

    @Option(
            names = "--markdown",
            paramLabel = "FILE",
            description = "write the table as Markdown; - shows it")
    private Optional<String> markdown = Optional.empty();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "write everything as JSON; - shows it")
    private Optional<String> json = Optional.empty();

    @Option(names = "--html", paramLabel = "FILE", description = "write a page")
    private Optional<String> html = Optional.empty();

    @Mixin private ResultsOption results;

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        var gate = failOver.map(OptionalDouble::of).orElse(OptionalDouble.empty());
        var options = new CompareOptions(across, gate, force, markdown, json, html);
        if (run) return runAndCompare(options);
        if (!jmhArguments.isEmpty() || forks.isPresent()) {
            throw new IllegalArgumentException(
                    "%s is for compare --run only"
                            .formatted(
                                    forks.isPresent()
                                            ? "--forks"
                                            : String.join(" ", jmhArguments)));
        }
        boolean passed =
                Compare.run(
                        Side.find(base, results.folder()),
                        Side.find(candidate, results.folder()),
                        options,
                        System.out);
        return passed ? Main.OK : Main.FAILED;
    }

    private int runAndCompare(CompareOptions options) throws IOException {
        int count = forks.orElse(FORKS);
        if (count < 1 || count > MOST_FORKS) {
            throw new IllegalArgumentException(
                    "--forks " + count + " must be from 1 to " + MOST_FORKS + ", e.g. --forks 10");
        }
        List<String> arguments = InterleavedArguments.of(jmhArguments);
        Interleaving.Measured m;
        try (var interleaving = Interleaving.in(Path.of(""), results.folder(), progress())) {
            m = interleaving.run(base, candidate, count, arguments);
        }
        boolean passed =
                Compare.run(
                        Side.of(m.base(), m.baseFiles()),
                        Side.of(m.candidate(), m.candidateFiles()),
                        options,
                        System.out);
        if (m.failed() > 0) {
            System.err.printf(
                    "FAILED: %d of the forks; they and their partners are not compared%n",
                    m.failed());
        }
        return passed && m.failed() == 0 ? Main.OK : Main.FAILED;
    }

    /** Where the screen is for the comparison, in a form that a program may read. */
    private PrintStream progress() {
        boolean shown = Stream.of(markdown, json).anyMatch(o -> o.equals(Optional.of("-")));
        return shown ? System.err : System.out;
    }

    /** {@code 3%} or {@code 3} as 0.03. */
    static final class Percent implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            try {
                String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
                double percent = Double.parseDouble(number.strip());
                if (percent >= 0 && percent < 1000) return percent / 100;
            } catch (NumberFormatException e) {
                // Falls through: text that is no number and a number out of range are alike.
            }
            throw new TypeConversionException(
                    "'" + text + "' must be a percentage from 0 to 1000, e.g. --fail-over 3%");
        }
    }
}
