package org.tokenrate.report.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokenrate.report.JmhJson;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.MissingRows;
import org.tokenrate.run.RunRecord;

/**
 * One run's files.
 *
 * @param file its {@code jmh.json}
 * @param record the {@code run.json} beside it; missing where there is none that can be read
 * @param recordError why it cannot be read; empty if it can
 * @param results of the request-throughput benchmark, at least one
 * @param missing rows that were asked for and have no result
 */
record ResultRun(
        Path file,
        JsonNode record,
        String recordError,
        List<JmhResult> results,
        List<MissingRows.Missing> missing) {

    /**
     * @throws IOException if it is not JMH's json or holds other benchmarks only, in one sentence
     */
    static ResultRun read(Path jmhJson) throws IOException {
        List<JmhResult> all = JmhJson.results(JmhJson.tree(jmhJson), jmhJson);
        List<JmhResult> ours = all.stream().filter(JmhResult::isRequestThroughput).toList();
        if (ours.isEmpty()) {
            throw new IOException(
                    jmhJson
                            + " holds no result of RequestThroughputBenchmark, only of "
                            + all.get(0).benchmark());
        }
        Path record = jmhJson.resolveSibling(RunRecord.FILE);
        try {
            if (!Files.isRegularFile(record))
                return unknown(jmhJson, "there is no " + record, ours);
            List<MissingRows.Missing> missing = MissingRows.of(record.resolveSibling(""), all);
            return new ResultRun(jmhJson, JmhJson.tree(record), "", ours, missing);
        } catch (IOException e) {
            return unknown(jmhJson, e.getMessage(), ours);
        }
    }

    private static ResultRun unknown(Path jmhJson, String why, List<JmhResult> results) {
        return new ResultRun(jmhJson, MissingNode.getInstance(), why, results, List.of());
    }

    /** As the user gave it: a page that is passed on need not tell where it was made. */
    Path folder() {
        return file.resolveSibling("");
    }

    /** The run's own folder and the one above, as {@code results/} has them: commit and start. */
    String name() {
        Path folder = file.toAbsolutePath().normalize().getParent();
        int names = folder.getNameCount();
        return names < 2 ? folder.toString() : folder.subpath(names - 2, names).toString();
    }
}
