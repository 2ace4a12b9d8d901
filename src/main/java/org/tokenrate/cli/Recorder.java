package org.tokenrate.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.tokenrate.report.WholeFile;
import org.tokenrate.run.RunRecord.Combination;

/**
 * Saves every finished combination at once; JMH itself gives results only at the end of a run. A
 * combination counts when all of its forks have ended well, and is missing otherwise.
 */
final class Recorder extends QuietFormat {
    private static final String UNKNOWN = "a fork ended before its last iteration";

    private final RunFiles files;
    private final List<RunResult> finished = new ArrayList<>();
    private Optional<Combination> current = Optional.empty();
    private Optional<String> reason = Optional.empty();

    Recorder(RunFiles files) {
        this.files = files;
    }

    @Override
    public void startBenchmark(BenchmarkParams params) {
        leave();
        current = Optional.of(combination(params));
        reason = Optional.empty();
    }

    /** The first reason is the cause; what follows from it comes after. */
    @Override
    public void println(String s) {
        if (reason.isEmpty()) reason = Failure.reason(s);
    }

    /**
     * @throws UncheckedIOException if it cannot be saved: to measure more would be in vain
     */
    @Override
    public void endBenchmark(BenchmarkResult result) {
        // JMH has nothing of a fork that said nothing.
        if (result == null || !isComplete(result)) return;
        current = Optional.empty();
        finished.add(byFork(result));
        try {
            files.save(finished);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * At the end of each of JMH's runs.
     *
     * @throws UncheckedIOException if the combination failed since it could not be written: what
     *     comes after it would be measured in vain
     */
    void leave() {
        if (current.isEmpty()) return;
        Combination failed = current.get();
        current = Optional.empty();
        try {
            String why = reason.orElse(UNKNOWN);
            files.missing(failed, why);
            if (why.startsWith(WholeFile.CANNOT_WRITE + files.folder().toAbsolutePath())) {
                throw new IOException("stopped: what is measured can no longer be kept");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In JMH's eyes a fork that exits early but in peace has done its work. */
    static boolean isComplete(BenchmarkResult result) {
        BenchmarkParams p = result.getParams();
        int expected = Math.max(1, p.getForks()) * p.getMeasurement().getCount();
        return result.getIterationResults().size() == expected;
    }

    private static Combination combination(BenchmarkParams params) {
        var values = new LinkedHashMap<String, String>();
        for (String name : params.getParamsKeys()) values.put(name, params.getParam(name));
        return new Combination(params.getBenchmark(), values);
    }

    /** JMH gives the iterations of all forks in one row; every fork has equally many. */
    private static RunResult byFork(BenchmarkResult result) {
        BenchmarkParams params = result.getParams();
        int count = params.getMeasurement().getCount();
        List<IterationResult> all = List.copyOf(result.getIterationResults());
        Collection<BenchmarkResult> forks = new ArrayList<>();
        for (int from = 0; from < all.size(); from += count) {
            int to = Math.min(from + count, all.size());
            forks.add(new BenchmarkResult(params, all.subList(from, to)));
        }
        return new RunResult(params, forks);
    }
}
