package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.tokenrate.report.ThroughputCsv;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code csv}: makes the CSV files of a run again. */
@Command(
        name = "csv",
        sortOptions = false,
        description = "Makes throughput.csv and iterations.csv from the jmh.json of a run.",
        footer = {
            "",
            "Examples",
            "  csv results/1a2b3c4/20260101T000000Z/jmh.json",
            "  csv jmh.json -o /tmp/csv"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:the files were written",
            "2:the arguments are wrong, or a file cannot be read or written"
        })
final class CsvCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "JMH.JSON", description = "the jmh.json of a run")
    private Path jmhJson;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "folder to write to; the one that jmh.json is in unless given")
    private Optional<Path> output = Optional.empty();

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        Path folder = output.orElse(jmhJson.toAbsolutePath().getParent());
        Files.createDirectories(folder);
        List<Path> written = ThroughputCsv.write(jmhJson, folder);
        if (written.isEmpty()) {
            throw new IOException(jmhJson + " holds no result of RequestThroughputBenchmark");
        }
        for (Path file : written) System.out.println("wrote " + file);
        return Main.OK;
    }
}
