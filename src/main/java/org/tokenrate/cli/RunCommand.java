package org.tokenrate.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
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
import java.util.TreeMap;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.run.GitState;
import org.tokenrate.run.Libraries;
import org.tokenrate.run.Machine;
import org.tokenrate.run.ParameterStyle;
import org.tokenrate.run.RunFolder;
import org.tokenrate.run.RunRecord;
import org.tokenrate.run.RunSettings;
import org.tokenrate.run.Version;

/** Runs benchmarks: checks first, then JMH, then the table and the files. */
final class RunCommand {
    private static final String PROFILER = "org.tokenrate.bench.WorkloadProfiler";
    private static final String OUR_PROPERTIES = "tokenrate.";

    /** From this Java on, native code that loads without the flag brings warnings. */
    private static final int NATIVE_ACCESS_SINCE = 22;

    /** From this Java on, JMH's own use of Unsafe may bring warnings, and there is a flag. */
    private static final int UNSAFE_FLAG_SINCE = 23;

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
        Instant start = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        GitState git = GitState.of(Path.of(""));
        Path folder = RunFolder.create(arguments.results(), git, start);
        var files = new RunFiles(folder, record(plan, git, start));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupted(files)));

        var settings = new RunSettings(Optional.of(folder), git.name(), plan.swept());
        settings.toProperties().forEach(System::setProperty);
        try {
            OutputFormat output = output(files, plan);
            if (!silent()) introduce(plan, git, folder);
            Collection<RunResult> results = new Runner(options(), output).run();
            List<JmhResult> saved = files.save(results);
            List<String> failures = failures(saved, expected(plan) - results.size());
            files.end(failures.isEmpty() ? "finished" : "failed");
            if (!silent()) conclude(plan, results, saved, files);
            failures.forEach(System.err::println);
            return new Ended(failures.isEmpty() ? Main.OK : Main.FAILED, folder);
        } catch (RunnerException | IOException e) {
            files.fail();
            System.err.println("ERROR: " + messages(e).replaceFirst("^ERROR: ", ""));
            return new Ended(Main.FAILED, folder);
        }
    }

    private boolean silent() {
        return verbosity() == VerboseMode.SILENT;
    }

    private int expected(Plan plan) {
        return plan.combinations().size() * Math.max(1, jmh.getBenchModes().size());
    }

    private VerboseMode verbosity() {
        return jmh.verbosity().orElse(VerboseMode.NORMAL);
    }

    /** JMH's own output where it is asked for by name, ours otherwise. */
    private OutputFormat output(RunFiles files, Plan plan) throws IOException {
        var formats = new ArrayList<OutputFormat>();
        formats.add(new Recorder(files));
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
            formats.add(new Console(out, files, expected(plan), plan.swept()));
        } else if (!jmh.getOutput().hasValue()) {
            formats.add(OutputFormatFactory.createFormatInstance(out, verbosity()));
        }
        return Tee.of(formats);
    }

    private Options options() {
        var prepend = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector"));
        if (Runtime.version().feature() >= NATIVE_ACCESS_SINCE) {
            prepend.add("--enable-native-access=ALL-UNNAMED");
        }
        if (Runtime.version().feature() >= UNSAFE_FLAG_SINCE) {
            prepend.add("--sun-misc-unsafe-memory-access=allow");
        }
        prepend.addAll(jmh.getJvmArgsPrepend().orElse(List.of()));
        var append = new ArrayList<>(jmh.getJvmArgsAppend().orElse(List.of()));
        new TreeMap<>(System.getProperties())
                .forEach(
                        (name, value) -> {
                            if (name.toString().startsWith(OUR_PROPERTIES)) {
                                append.add("-D" + name + "=" + value);
                            }
                        });
        return new OptionsBuilder()
                .parent(jmh)
                .jvmArgsPrepend(prepend.toArray(String[]::new))
                .jvmArgsAppend(append.toArray(String[]::new))
                .addProfiler(PROFILER)
                .build();
    }

    private RunRecord record(Plan plan, GitState git, Instant start) {
        var jvm = new LinkedHashMap<String, String>();
        jvm.put("version", System.getProperty("java.version"));
        jvm.put("name", System.getProperty("java.vm.name"));
        jvm.put("vendor", System.getProperty("java.vendor"));
        return new RunRecord(
                Version.get(),
                RunRecord.RUNNING,
                git.commit(),
                git.dirty(),
                start.toString(),
                "",
                arguments.all(),
                jvm,
                Libraries.versions(),
                Machine.here(),
                plan.combinations(),
                List.of());
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
    private static List<String> failures(List<JmhResult> saved, int missing) {
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
        if (missing > 0) {
            failures.add(
                    "FAILED: no result of " + missing + " parameter combination(s), see above");
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

    private static void interrupted(RunFiles files) {
        if (!files.running()) return;
        try {
            files.end("interrupted");
            System.err.printf(
                    "%ninterrupted; what %d finished combination(s) gave is in %s%n",
                    files.measured(), files.folder());
        } catch (IOException e) {
            System.err.println(e.getMessage());
        }
    }
}
