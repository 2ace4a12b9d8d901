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
        description = {
            "Makes throughput.csv and iterations.csv of a run again.",
            "",
            "The figures are from its jmh.json, the rows that are missing from the run.json beside"
                    + " it.",
            ""
        },
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
    @Parameters(
            index = "0",
            paramLabel = "JMH.JSON",
            description = "the jmh.json of a run, or the run's folder")
    private Path jmhJson;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "folder to write to; the one that jmh.json is in unless given")
    private Optional<Path> output = Optional.empty();

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        Path json = Files.isDirectory(jmhJson) ? jmhJson.resolve(RunFiles.JMH) : jmhJson;
        // The CSV of a run that measured nothing is there already, and no other may become it.
        if (!Files.isRegularFile(json)) {
            throw new IOException(json + " is not a file; give the jmh.json of a run");
        }
        Path folder = output.orElse(json.toAbsolutePath().getParent());
        for (String name : List.of(ThroughputCsv.THROUGHPUT, ThroughputCsv.ITERATIONS)) {
            requireNoLoss(folder.resolve(name));
        }
        if (Files.notExists(folder)) Files.createDirectories(folder);
        List<Path> written = ThroughputCsv.write(json, folder);
        if (written.isEmpty()) {
            throw new IOException(json + " holds no result of RequestThroughputBenchmark");
        }
        for (Path file : written) System.out.println("wrote " + file);
        return Main.OK;
    }

    /** A file of a newer version, or of someone else's, is not replaced by one that says less. */
    private static void requireNoLoss(Path file) throws IOException {
        List<String> lost = ThroughputCsv.unknownColumns(file);
        if (lost.isEmpty()) return;
        throw new IOException(
                "%s has columns that this version does not write (%s); give another folder with -o"
                        .formatted(file, Texts.plain(String.join(", ", lost), 200)));
    }
}
