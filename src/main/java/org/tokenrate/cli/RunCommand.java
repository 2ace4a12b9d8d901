package org.tokenrate.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.run.GitState;
import org.tokenrate.run.Libraries;
import org.tokenrate.run.Machine;
import org.tokenrate.run.ParameterStyle;
import org.tokenrate.run.Program;
import org.tokenrate.run.RunFolder;
import org.tokenrate.run.RunLock;
import org.tokenrate.run.RunRecord;
import org.tokenrate.run.RunSettings;
import org.tokenrate.run.Version;

/** Runs benchmarks: checks first, then JMH, then the table and the files. */
final class RunCommand {
    private static final String SOFTWARE_GPU =
            "NOT A REAL DEVICE: times of the software GPU are a CPU's and say nothing of any GPU.\n";

    private final Arguments arguments;
    private final Options jmh;
    private final ParameterStyle style;
    private final Table table;
    private final PrintStream out = System.out;

    /** What to show of the main job's results when all has run. */
    interface Table {
        String of(List<JmhResult> results, List<String> swept);
    }

    /**
     * @param status exit status
     * @param folder that the run wrote to
     */
    record Ended(int status, Path folder) {}

    RunCommand(Arguments arguments, Options jmh) {
        this(arguments, jmh, ParameterStyle.JMH, ResultTable::of);
    }

    RunCommand(Arguments arguments, Options jmh, ParameterStyle style, Table table) {
        this.arguments = arguments;
        this.jmh = jmh;
        this.style = style;
        this.table = table;
    }

    /**
     * @throws IllegalArgumentException for bad arguments, before anything is written or run
     * @throws IOException if the results folder cannot be written, before anything is run
     */
    Ended run() throws IOException {
        Plan plan = Plan.of(jmh, arguments.parameterNames(), style);
        Instant start = now();
        GitState git = GitState.of(Path.of(""));
        Path folder = RunFolder.create(arguments.results(), git, start);
        // No other run can have it: the folder is new.
        RunLock lock = RunLock.take(folder).orElseThrow();
        var files = new RunFiles(folder, lock, record(plan, git, start), List.of(), modes());
        tellForks(folder, git, plan);
        return measure(plan, git, files, List.of(ForkOptions.all(jmh)), expected(plan));
    }

    /** Goes on with a run that was stopped: what it has is kept, the rest is measured. */
    Ended resume(Resumable run) throws IOException {
        RunRecord record = run.record().resumed(now().toString());
        var files = new RunFiles(run.folder(), run.lock(), record, run.entries(), modes());
        var git = new GitState(record.commit(), record.dirty());
        tellForks(run.folder(), git, run.plan());
        List<Options> rest = run.missing().stream().map(c -> ForkOptions.of(jmh, c)).toList();
        return measure(run.plan(), git, files, rest, rest.size() * modes());
    }

    /**
     * @param parts each is a run of JMH's
     * @param combinations how many they have together
     */
    private Ended measure(
            Plan plan, GitState git, RunFiles files, List<Options> parts, int combinations)
            throws IOException {
        var stop = new Stop();
        stop.install(files);
        try {
            var recorder = new Recorder(files);
            OutputFormat output = output(recorder, files, combinations, plan.swept(), stop);
            if (!silent()) introduce(plan, git, files.folder());
            var results = new ArrayList<RunResult>();
            for (Options part : parts) {
                results.addAll(new Runner(part, output).run());
                recorder.leave();
            }
            stop.check();
            results.removeIf(r -> !Recorder.isComplete(r.getAggregatedResult()));
            List<JmhResult> saved = files.save(results);
            List<String> failures = failures(saved, files.missing());
            files.end(failures.isEmpty() ? RunRecord.FINISHED : RunRecord.FAILED, "gave no result");
            if (!silent()) conclude(plan, results, saved, files);
            failures.forEach(System.err::println);
            int status = failures.isEmpty() ? Main.OK : Main.FAILED;
            return new Ended(status, files.folder());
        } catch (RunnerException | IOException | UncheckedIOException e) {
            stop.check();
            String why = e instanceof RunnerException ? messages(e) : Errors.sentence(e);
            System.err.println("ERROR: " + why.replaceFirst("^ERROR: ", ""));
            try {
                files.fail("not run: the run failed before");
            } catch (IOException again) {
                // Told already: what keeps one file from being written keeps the next.
            }
            if (Files.exists(files.folder())) {
                System.err.printf(
                        "what %d finished combination(s) gave is in %s; --resume %s measures the"
                                + " rest%n",
                        files.measured(), files.folder(), files.folder());
            }
            return new Ended(Main.FAILED, files.folder());
        }
    }

    /** By properties of this JVM, which {@link ForkOptions} hands on. */
    private static void tellForks(Path folder, GitState git, Plan plan) {
        var pid = OptionalLong.of(ProcessHandle.current().pid());
        new RunSettings(Optional.of(folder), git.name(), pid, plan.swept())
                .toProperties()
                .forEach(System::setProperty);
    }

    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }

    private boolean silent() {
        return verbosity() == VerboseMode.SILENT;
    }

    private int expected(Plan plan) {
        return plan.combinations().size() * modes();
    }

    private int modes() {
        return Math.max(1, jmh.getBenchModes().size());
    }

    private VerboseMode verbosity() {
        return jmh.verbosity().orElse(VerboseMode.NORMAL);
    }

    /** JMH's own output where it is asked for by name, ours otherwise. */
    private OutputFormat output(
            Recorder recorder, RunFiles files, int combinations, List<String> swept, Stop stop)
            throws IOException {
        var formats = new ArrayList<OutputFormat>();
        formats.add(recorder);
        if (jmh.getOutput().hasValue()) {
            try {
                formats.add(
                        OutputFormatFactory.createFormatInstance(
                                new PrintStream(jmh.getOutput().get()), verbosity()));
            } catch (FileNotFoundException e) {
                throw new IOException("cannot write -o " + jmh.getOutput().get(), e);
            }
        }
        if (verbosity() == VerboseMode.NORMAL) {
            formats.add(new Console(out, files, combinations, swept));
        } else if (!jmh.getOutput().hasValue()) {
            formats.add(OutputFormatFactory.createFormatInstance(out, verbosity()));
        }
        return Tee.of(formats, stop);
    }

    private RunRecord record(Plan plan, GitState git, Instant start) throws IOException {
        return new RunRecord(
                Version.get(),
                RunRecord.RUNNING,
                git.commit(),
                git.dirty(),
                start.toString(),
                "",
                arguments.all(),
                jvm(),
                Libraries.versions(),
                Machine.here(),
                plan.combinations(),
                List.of(),
                List.of(),
                Program.sha256(),
                List.of(new RunRecord.Sitting(start.toString(), "")),
                Map.of());
    }

    /** The Java that runs the forks, unless {@code -jvm} names another. */
    static Map<String, String> jvm() {
        var jvm = new LinkedHashMap<String, String>();
        jvm.put("version", System.getProperty("java.version"));
        jvm.put("name", System.getProperty("java.vm.name"));
        jvm.put("vendor", System.getProperty("java.vendor"));
        return jvm;
    }

    private void introduce(Plan plan, GitState git, Path folder) {
        Machine machine = Machine.here();
        out.printf(
                Locale.ROOT,
                "tokenrate %s, commit %s, Java %s, %s, %d cores%n",
                Version.get(),
                git.name(),
                System.getProperty("java.version"),
                machine.cpu(),
                machine.cores());
        for (var c : plan.combinations()) {
            if (!Plan.isRequestThroughput(c.benchmark())) continue;
            var fixed = new StringBuilder();
            c.params()
                    .forEach(
                            (name, value) -> {
                                if (!plan.swept().contains(name)) {
                                    fixed.append(' ').append(name).append('=').append(value);
                                }
                            });
            out.println("RequestThroughput:" + fixed);
            break;
        }
        out.println("results go to " + folder);
    }

    private void conclude(
            Plan plan, Collection<RunResult> results, List<JmhResult> saved, RunFiles files)
            throws IOException {
        List<JmhResult> main = saved.stream().filter(JmhResult::isRequestThroughput).toList();
        out.println();
        if (!main.isEmpty()) out.println(table.of(main, plan.swept()));
        if (main.stream().anyMatch(JmhResult::isOfSoftwareGpu)) out.println(SOFTWARE_GPU);
        List<RunResult> others =
                results.stream()
                        .filter(r -> !Plan.isRequestThroughput(r.getParams().getBenchmark()))
                        .toList();
        if (!others.isEmpty()) {
            ResultFormatFactory.getInstance(ResultFormatType.TEXT, out).writeOut(others);
            out.println();
        }
        if (main.isEmpty() && !others.isEmpty()) {
            out.println("No CSV: that is for results of RequestThroughputBenchmark.");
        }
        out.println("wrote");
        files.list().forEach(f -> out.println("  " + f));
    }

    /** Everything that makes this run a failed one, in sentences. */
    private static List<String> failures(List<JmhResult> saved, List<RunRecord.Missing> missing) {
        var failures = new ArrayList<String>();
        for (JmhResult r : saved) {
            long failed = (long) r.value(Metric.FAILED);
            if (failed == 0) continue;
            var text =
                    new StringBuilder(
                            "FAILED REQUESTS: %d with %s; see the requests files"
                                    .formatted(failed, r.info("combination")));
            for (Map.Entry<String, Long> e : r.errors().entrySet()) {
                text.append("%n  %d x %s".formatted(e.getValue(), e.getKey()));
            }
            failures.add(text.toString());
        }
        if (!missing.isEmpty()) {
            failures.add(
                    "FAILED: no result of "
                            + missing.size()
                            + " parameter combination(s), see above");
        }
        return failures;
    }

    /** JMH's own message is often "failed", and the reason is in a cause. */
    private static String messages(Throwable e) {
        var messages = new LinkedHashSet<String>();
        for (Throwable t = e; t != null; t = t.getCause()) {
            messages.add(t.getMessage());
            for (Throwable other : t.getSuppressed()) messages.add(other.getMessage());
        }
        return String.join(": ", messages);
    }
}
