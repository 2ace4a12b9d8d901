package org.tokenrate.cli;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.WorkloadParams;

/**
 * JMH's results without the paths that tell of a machine and its user, not of what was measured: a
 * {@code jmh.json} may be published.
 */
final class WithoutPaths {
    /** The harness's own properties: where the run's files go, where the cache is. */
    private static final String OURS = "-Dtokenrate.";

    private WithoutPaths() {}

    static List<RunResult> of(Collection<RunResult> results) {
        return results.stream()
                .map(r -> new RunResult(of(r.getParams()), r.getBenchmarkResults()))
                .toList();
    }

    private static BenchmarkParams of(BenchmarkParams p) {
        Path java = Path.of(p.getJvm()).getFileName();
        return new BenchmarkParams(
                p.getBenchmark(),
                p.generatedBenchmark(),
                p.shouldSynchIterations(),
                p.getThreads(),
                p.getThreadGroups(),
                p.getThreadGroupLabels(),
                p.getForks(),
                p.getWarmupForks(),
                p.getWarmup(),
                p.getMeasurement(),
                p.getMode(),
                values(p),
                p.getTimeUnit(),
                p.getOpsPerInvocation(),
                java == null ? p.getJvm() : java.toString(),
                p.getJvmArgs().stream().filter(a -> !a.startsWith(OURS)).toList(),
                p.getJdkVersion(),
                p.getVmName(),
                p.getVmVersion(),
                p.getJmhVersion(),
                p.getTimeout());
    }

    private static WorkloadParams values(BenchmarkParams p) {
        var values = new WorkloadParams();
        for (String name : p.getParamsKeys()) values.put(name, p.getParam(name), 0);
        return values;
    }
}
