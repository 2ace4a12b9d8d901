package org.tokenrate.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.runner.IterationType;
import org.tokenrate.report.Metric;

/** What the user sees of a run: a heading a combination, a line an iteration, the time left. */
final class Console extends QuietFormat {
    /** What JMH puts around things that speak for themselves. */
    private static final Set<String> TAGS =
            Set.of(
                    "<failure>",
                    "<stdout last='20 lines'>",
                    "</stdout>",
                    "<stderr last='20 lines'>",
                    "</stderr>");

    private static final String INCUBATOR = "WARNING: Using incubator modules";

    private final PrintStream out;
    private final RunFiles files;
    private final int combinations;
    private final List<String> swept;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final long startNanos = System.nanoTime();
    private int started;
    private long iterationsEnded;
    private long iterationsInAll;

    Console(PrintStream out, RunFiles files, int combinations, List<String> swept) {
        this.out = out;
        this.files = files;
        this.combinations = combinations;
        this.swept = swept;
    }

    @Override
    public void startBenchmark(BenchmarkParams b) {
        started++;
        int aFork = b.getWarmup().getCount() + b.getMeasurement().getCount();
        long each = (long) aFork * (Math.max(1, b.getForks()) + b.getWarmupForks());
        // A combination that failed early leaves no gap, and those to come are likely as long.
        iterationsInAll = iterationsEnded + each * (combinations - started + 1L);
        out.printf(Locale.ROOT, "%n[%d/%d] %s%n", started, combinations, name(b));
    }

    @Override
    public void iterationResult(
            BenchmarkParams b, IterationParams params, int iteration, IterationResult data) {
        iterationsEnded++;
        boolean warmup = params.getType() == IterationType.WARMUP;
        out.printf(
                Locale.ROOT,
                "  %-9s %d/%d  %s%s%n",
                warmup ? "warm-up" : "iteration",
                iteration,
                params.getCount(),
                figures(data),
                timeLeft());
        out.flush();
    }

    @Override
    public void println(String s) {
        Optional<String> failure = Failure.reason(s);
        if (failure.isPresent()) {
            out.println("  FAILED: " + failure.get());
            try {
                if (Failure.isTrace(s)) files.logFailure(s);
            } catch (IOException e) {
                out.println(s);
            }
        } else if (!s.isBlank() && !s.startsWith("#") && !TAGS.contains(s)) {
            out.println(s);
        }
    }

    /** What a fork writes before it is connected, or what its JVM writes by itself. */
    @Override
    public synchronized void write(int b) {
        if (b != '\n') {
            line.write(b);
            return;
        }
        String text = line.toString(UTF_8);
        line.reset();
        if (!text.startsWith(INCUBATOR)) out.println(text);
    }

    @Override
    public synchronized void write(byte[] bytes) {
        for (byte b : bytes) write(b);
    }

    private String name(BenchmarkParams b) {
        String benchmark = b.getBenchmark();
        if (Plan.isRequestThroughput(benchmark)) {
            var text = new StringBuilder();
            for (String p : swept) text.append(p + "=" + b.getParam(p) + " ");
            return swept.isEmpty() ? "RequestThroughput" : text.toString().strip();
        }
        var text =
                new StringBuilder(
                        benchmark.substring(
                                benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1));
        for (String p : b.getParamsKeys()) text.append(" " + p + "=" + b.getParam(p));
        return text.toString();
    }

    private static String figures(IterationResult data) {
        var results = data.getSecondaryResults();
        if (!results.containsKey(Metric.DURATION.name())) {
            return data.getPrimaryResult().toString();
        }
        double p50 = value(results.get(Metric.latency("ttft", "p50").name()));
        double p99 = value(results.get(Metric.latency("ttft", "p99").name()));
        double failed = value(results.get(Metric.FAILED.name()));
        return String.format(
                Locale.ROOT,
                "%,10.1f tok/s %,10.1f RPM  TTFT p50 %s p99 %s  %.1f s%s",
                value(results.get(Metric.OUTPUT_RATE.name())),
                value(results.get(Metric.RPM.name())),
                Texts.millis(p50),
                Texts.millis(p99),
                value(results.get(Metric.DURATION.name())),
                failed > 0 ? String.format(Locale.ROOT, "  %,.0f FAILED", failed) : "");
    }

    private static double value(Result<?> result) {
        return result.getScore();
    }

    private String timeLeft() {
        long left = iterationsInAll - iterationsEnded;
        if (left <= 0) return "";
        double nanos = (double) (System.nanoTime() - startNanos) / iterationsEnded * left;
        long seconds = TimeUnit.NANOSECONDS.toSeconds((long) nanos);
        return seconds == 0 ? "" : "  (about " + Texts.duration(seconds) + " left)";
    }
}
