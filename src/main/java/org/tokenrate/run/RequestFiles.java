package org.tokenrate.run;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokenrate.metrics.BinnedRun;
import org.tokenrate.report.BinnedFile;
import org.tokenrate.report.EngineFile;
import org.tokenrate.report.RequestsFile;
import org.tokenrate.report.WholeFile;
import org.tokenrate.workload.RequestRecords;
import org.tokenrate.workload.WorkloadResult;

/** Writes one fork's request files and what stands beside them, for each measured iteration. */
final class RequestFiles {
    private final Path folder;
    private final String combination;
    private final int fork;

    private RequestFiles(Path folder, String combination, int fork) {
        this.folder = folder;
        this.combination = combination;
        this.fork = fork;
    }

    /** JMH does not tell a fork its number; forks run in turn, so it is the first without files. */
    static RequestFiles ofNextFork(Path folder, String combination) throws IOException {
        int fork = 1;
        while (hasFiles(folder, RequestsFile.prefix(combination, fork))) fork++;
        return new RequestFiles(folder, combination, fork);
    }

    int fork() {
        return fork;
    }

    void write(int iteration, WorkloadResult result) throws IOException {
        String name = RequestsFile.name(combination, fork, iteration);
        WholeFile.write(folder.resolve(name), part -> RequestRecords.write(part, result.records()));
        BinnedRun binned = BinnedRun.of(result.records());
        WholeFile.write(
                folder.resolve(RequestsFile.binned(name)), part -> BinnedFile.write(part, binned));
        if (result.engine().isEmpty()) return;
        WholeFile.write(
                folder.resolve(RequestsFile.engine(name)),
                part -> EngineFile.write(part, result.engine()));
    }

    private static boolean hasFiles(Path folder, String prefix) throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(
                        folder, f -> f.getFileName().toString().startsWith(prefix))) {
            return files.iterator().hasNext();
        }
    }
}
