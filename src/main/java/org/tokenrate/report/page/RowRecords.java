package org.tokenrate.report.page;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.tokenrate.metrics.BinnedRun;
import org.tokenrate.metrics.TimeBins;
import org.tokenrate.report.BinnedFile;
import org.tokenrate.report.EngineFile;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.report.RequestsFile;
import org.tokenrate.workload.EngineSample;
import org.tokenrate.workload.RequestRecords;

/**
 * What the request files of one row tell beyond its figures.
 *
 * @param row the row
 * @param ttft over all measured iterations, in nanoseconds, as all of the histograms
 * @param course of the iteration with the median token rate
 * @param engine of the same iteration; empty for an engine without a KV pool
 * @param problems what could not be read, in sentences
 */
record RowRecords(
        ResultRow row,
        Histogram ttft,
        Histogram itl,
        Histogram e2e,
        Course course,
        List<EngineSample> engine,
        List<String> problems) {

    /**
     * One iteration over time.
     *
     * @param seconds how long it took
     */
    record Course(double seconds, TimeBins tokens, TimeBins inFlight) {}

    boolean isEmpty() {
        return e2e.getTotalCount() == 0;
    }

    static RowRecords read(ResultRow row) {
        List<JmhResult> iterations = row.result().split();
        List<String> files = row.result().requestsFiles();
        int median = median(iterations);
        Histogram ttft = BinnedRun.newHistogram();
        Histogram itl = BinnedRun.newHistogram();
        Histogram e2e = BinnedRun.newHistogram();
        BinnedRun shown = new BinnedRun();
        List<EngineSample> engine = List.of();
        var problems = new ArrayList<String>();
        for (int i = 0; i < iterations.size(); i++) {
            try {
                BinnedRun one = binned(row.folder(), files.get(i), problems);
                ttft.add(one.ttft());
                itl.add(one.itl());
                e2e.add(one.e2e());
                if (i != median) continue;
                shown = one;
                Path samples = inside(row.folder(), RequestsFile.engine(files.get(i)));
                if (Files.isRegularFile(samples)) engine = EngineFile.read(samples);
            } catch (IOException e) {
                problems.add(e.getMessage());
            }
        }
        double seconds = iterations.isEmpty() ? 0 : iterations.get(median).value(Metric.DURATION);
        var course = new Course(seconds, shown.tokens(), shown.inFlight());
        return new RowRecords(row, ttft, itl, e2e, course, engine, problems);
    }

    /** The index of the one with the median token rate, the lower of two. */
    private static int median(List<JmhResult> iterations) {
        var order = new ArrayList<Integer>();
        for (int i = 0; i < iterations.size(); i++) order.add(i);
        order.sort(Comparator.comparingDouble(i -> iterations.get(i).value(Metric.OUTPUT_RATE)));
        return order.isEmpty() ? 0 : order.get((order.size() - 1) / 2);
    }

    /** From what stands beside the request file, or from the file itself. */
    private static BinnedRun binned(Path folder, String name, List<String> problems)
            throws IOException {
        Path binned = inside(folder, RequestsFile.binned(name));
        if (Files.isRegularFile(binned)) {
            try {
                return BinnedFile.read(binned);
            } catch (IOException e) {
                problems.add(e.getMessage());
            }
        }
        Path raw = inside(folder, name);
        if (!Files.isRegularFile(raw)) throw new IOException("there is no " + raw);
        var run = new BinnedRun();
        try {
            RequestRecords.forEach(raw, run::add);
        } catch (IllegalArgumentException e) {
            throw new IOException(raw + ": " + e.getMessage(), e);
        }
        return run;
    }

    /** The name is from a file that anyone may have written: it must not lead elsewhere. */
    private static Path inside(Path folder, String name) throws IOException {
        if (name.matches("requests-[^/\\\\\\x00]+")) return folder.resolve(name);
        throw new IOException("'" + name + "' is no name of a request file");
    }
}
