package org.tokenrate.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

/** Saves every finished combination at once; JMH itself gives results only at the end of a run. */
final class Recorder extends QuietFormat {
    private final RunFiles files;
    private final List<RunResult> finished = new ArrayList<>();

    Recorder(RunFiles files) {
        this.files = files;
    }

    @Override
    public void endBenchmark(BenchmarkResult result) {
        if (result == null) return;
        finished.add(byFork(result));
        try {
            files.save(finished);
        } catch (IOException e) {
            // The run goes on: the end of it tries again, and fails if that does not work either.
            System.err.println("WARNING: " + e.getMessage());
        }
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
