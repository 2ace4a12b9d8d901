package org.tokenrate.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;

/** Ends its fork after the first iteration, in another way for each concurrency. */
public final class CrashingProfiler implements InternalProfiler {
    @Override
    public String getDescription() {
        return "ends its fork";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {}

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        switch (benchmark.getParam("concurrency")) {
            case "2" -> Runtime.getRuntime().halt(0);
            case "3" -> exit();
            case "4" ->
                    ProcessHandle.current().parent().orElseThrow().children().forEach(this::kill);
            case "5" -> exhaustMemory();
            default -> {}
        }
        return List.of();
    }

    /** From a thread of its own: this one would wait for itself. */
    private void exit() {
        new Thread(() -> System.exit(0)).start();
        try {
            Thread.sleep(60_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void kill(ProcessHandle fork) {
        try {
            new ProcessBuilder("kill", "-9", String.valueOf(fork.pid())).start().waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void exhaustMemory() {
        var all = new ArrayList<long[]>();
        while (true) all.add(new long[1 << 24]);
    }
}
