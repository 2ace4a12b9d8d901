package org.tokenrate.cli;

import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.tokenrate.compare.Figure;
import org.tokenrate.history.History;
import org.tokenrate.history.HistoryCsv;
import org.tokenrate.history.HistoryJson;
import org.tokenrate.history.HistoryPage;
import org.tokenrate.history.HistoryText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code history}: all results in the order of their commits, and where they changed. */
@Command(
        name = "history",
        sortOptions = false,
        description = {
            "Shows all results by commit, and marks where a figure changed for good.",
            "",
            "Runs of one commit count as one point, those of another machine, JVM, model or dataset"
                    + " as another line. The order is git's; what git does not know stands where the"
                    + " time of its run puts it. A change needs eight points or more to be seen, and"
                    + " three after it.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  history",
            "  history -o history.html --metric output_tok_s,ttft_p99_s",
            "  history --since 1a2b3c4 --fail-on-change"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:shown; files that could not be read are named in a warning",
            "1:with --fail-on-change: a figure became slower, and has not become faster since",
            "2:the arguments are wrong, or there is nothing to show"
        })
final class HistoryCommand implements Callable<Integer> {
    private static final String SCREEN = "-";

    @Mixin private ResultsOption results;

    @Option(
            names = "--metric",
            paramLabel = "NAME",
            split = ",",
            description = "figures to show, e.g. output_tok_s,ttft_p99_s; all unless given")
    private List<String> metrics = List.of();

    @Option(
            names = "--since",
            paramLabel = "COMMIT",
            description = "leave out what comes before this one")
    private Optional<String> since = Optional.empty();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "write a page with charts, e.g. history.html")
    private Optional<Path> output = Optional.empty();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "write everything as JSON; - shows it")
    private Optional<String> json = Optional.empty();

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "write every point as CSV; - shows it")
    private Optional<String> csv = Optional.empty();

    @Option(
            names = "--fail-on-change",
            description = "exit with 1 if the last change of a figure was for the worse")
    private boolean failOnChange;

    @Mixin private HelpOption help;

    private interface Writing {
        void to(Writer out) throws IOException;
    }

    @Override
    public Integer call() throws IOException {
        History history = History.of(results.folder(), Path.of(""), figures(), since);
        if (output.isPresent()) HistoryPage.of(history).write(output.get());
        if (json.isPresent()) write(json.get(), out -> HistoryJson.write(history, out));
        if (csv.isPresent()) write(csv.get(), out -> HistoryCsv.write(history, out));
        boolean shown = isScreen(json) || isScreen(csv);
        if (!shown) System.out.print(HistoryText.of(history, terminal()));
        if (!failOnChange) return Main.OK;

        long slower = history.slowerAtTheEnd();
        if (!shown) {
            System.out.println(
                    slower == 0
                            ? "PASSED: no figure became slower last"
                            : "FAILED: figures that became slower last: " + slower);
        }
        return slower == 0 ? Main.OK : Main.FAILED;
    }

    private Set<Figure> figures() {
        if (metrics.isEmpty()) return EnumSet.allOf(Figure.class);
        var figures = EnumSet.noneOf(Figure.class);
        for (String name : metrics) {
            figures.add(
                    Arrays.stream(Figure.values())
                            .filter(f -> f.metric().name().equals(name) || f.label().equals(name))
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            new IllegalArgumentException(
                                                    "--metric %s is no figure of a history; they are %s"
                                                            .formatted(name, names()))));
        }
        return figures;
    }

    private static String names() {
        return Arrays.stream(Figure.values())
                .map(f -> f.metric().name())
                .collect(Collectors.joining(", "));
    }

    /** What standard output is written in: Java 17 and newer ones have different names for it. */
    private static Charset terminal() {
        String name =
                System.getProperty("stdout.encoding", System.getProperty("sun.stdout.encoding"));
        try {
            return name == null ? Charset.defaultCharset() : Charset.forName(name);
        } catch (IllegalArgumentException e) {
            return Charset.defaultCharset();
        }
    }

    private static boolean isScreen(Optional<String> file) {
        return file.filter(SCREEN::equals).isPresent();
    }

    /** To the screen, or to a file, whole or not at all. */
    private static void write(String name, Writing content) throws IOException {
        if (name.equals(SCREEN)) {
            var text = new StringWriter();
            content.to(text);
            System.out.print(text);
            return;
        }
        Path file = Path.of(name).toAbsolutePath();
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            try (Writer out = Files.newBufferedWriter(part)) {
                content.to(out);
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IOException(
                    "cannot write %s (%s); give a file in a folder that exists and can be written"
                            .formatted(name, e.getClass().getSimpleName()),
                    e);
        }
    }
}
