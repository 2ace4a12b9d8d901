package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import org.tokenrate.compare.Compare;
import org.tokenrate.compare.CompareOptions;
import org.tokenrate.compare.Side;
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
            "Says of every figure whether the candidate is faster or slower than the base.",
            "",
            "BASE and CANDIDATE are commits (folders in the results, or an unambiguous beginning;"
                    + " all runs of a commit count, as further forks), folders of runs, or jmh.json"
                    + " files. Rows are matched by their parameters. A verdict needs several forks"
                    + " a side: run with -f 8 or more.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  compare 1a2b3c4 5d6e7f8",
            "  compare 1a2b3c4 5d6e7f8 --fail-over 3%% --markdown comment.md",
            "  compare cpu/jmh.json cuda/jmh.json --across engine --force"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:nothing is slower by more than --fail-over, or none was given",
            "1:something is slower by more than --fail-over",
            "2:the arguments or the results do not allow a comparison"
        })
final class CompareCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BASE", description = "what to compare with")
    private String base;

    @Parameters(index = "1", paramLabel = "CANDIDATE", description = "what to judge")
    private String candidate;

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

    @Option(
            names = "--results",
            paramLabel = "DIR",
            defaultValue = "${sys:tokenrate.results:-results}",
            description = "base folder of results (${DEFAULT-VALUE})")
    private Path results;

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        var gate = failOver.map(OptionalDouble::of).orElse(OptionalDouble.empty());
        var options = new CompareOptions(across, gate, force, markdown, json, html);
        boolean passed =
                Compare.run(
                        Side.find(base, results),
                        Side.find(candidate, results),
                        options,
                        System.out);
        return passed ? Main.OK : Main.FAILED;
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
