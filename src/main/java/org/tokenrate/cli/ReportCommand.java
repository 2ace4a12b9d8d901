package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokenrate.compare.Side;
import org.tokenrate.report.page.RunReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code report}: results as a page. */
@Command(
        name = "report",
        sortOptions = false,
        description = {
            "Writes results as one HTML file that needs no network.",
            "",
            "It has charts, the table and the environment.",
            "",
            "RESULT is a commit (a folder in the results, or an unambiguous beginning), the folder of"
                    + " a run, or a jmh.json; the newest run unless given. Several are shown side by"
                    + " side.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  report",
            "  report 1a2b3c4 -o /tmp/1a2b3c4.html",
            "  report results/1a2b3c4/20260101T000000Z results/5d6e7f8/20260102T000000Z"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:the page was written, whatever it tells",
            "2:the arguments are wrong, or a file cannot be read or written"
        })
final class ReportCommand implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "RESULT", description = "what to show")
    private List<String> sides = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            defaultValue = "report.html",
            description = "file to write (${DEFAULT-VALUE})")
    private Path output;

    @Mixin private ResultsOption results;

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        var files = new ArrayList<Path>();
        for (String side : sides) files.addAll(Side.files(side, results.folder()));
        if (files.isEmpty()) files.add(Side.newest(results.folder()));
        RunReport.of(files).write(output);
        System.out.println("wrote " + output);
        return Main.OK;
    }
}
