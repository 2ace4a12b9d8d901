package org.tokenrate.cli;

import static java.util.stream.Collectors.groupingBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.tokenrate.report.JmhEntries;
import org.tokenrate.run.GitState;
import org.tokenrate.run.ParameterStyle;
import org.tokenrate.run.RunLock;
import org.tokenrate.run.RunRecord;
import org.tokenrate.run.RunRecord.Combination;

/**
 * A run that was stopped and may go on: everything that it was measured with is as it was, and no
 * one else goes on with it.
 *
 * @param arguments the run's own
 * @param jmh likewise
 * @param entries of the combinations that are complete
 * @param missing the others, at least one
 */
record Resumable(
        Path folder,
        RunLock lock,
        RunRecord record,
        Arguments arguments,
        CommandLineOptions jmh,
        Plan plan,
        List<JmhEntries.Entry> entries,
        List<Combination> missing) {

    /**
     * @param given what stands beside {@code --resume}
     * @throws IllegalArgumentException if the run may not go on, in one sentence
     * @throws IOException if there is no such run, or its files cannot be read, in one sentence
     */
    static Resumable find(Arguments.Resume resume, Arguments given, CommandLineOptions givenJmh)
            throws IOException {
        GitState git = GitState.of(Path.of(""));
        Path folder =
                resume.folder().isPresent() ? resume.folder().get() : newest(given.results(), git);
        RunRecord record = RunRecord.read(folder);
        requireUnfinished(folder, record);
        RunLock lock = lock(folder);
        try {
            // Once more, now that nobody else writes it.
            record = RunRecord.read(folder);
            requireUnfinished(folder, record);
            return checked(folder, lock, record, git, given, givenJmh);
        } catch (IOException | RuntimeException e) {
            lock.release(false);
            throw e;
        }
    }

    private static Resumable checked(
            Path folder,
            RunLock lock,
            RunRecord record,
            GitState git,
            Arguments given,
            CommandLineOptions givenJmh)
            throws IOException {
        if (!record.arguments().isEmpty() && RootCommand.knows(record.arguments().get(0))) {
            throw refused(
                    record.arguments().get(0)
                            + " measures one combination; give its command again");
        }
        Arguments arguments = Arguments.parse(record.arguments());
        CommandLineOptions jmh;
        try {
            jmh = new CommandLineOptions(arguments.jmh().toArray(String[]::new));
        } catch (CommandLineOptionException e) {
            throw broken(folder, "its arguments are wrong: " + e.getMessage());
        }
        RunsCode.requireAgreed(jmh, given, givenJmh, record);
        Plan plan = Plan.of(jmh, arguments.parameterNames(), ParameterStyle.JMH);
        SameCircumstances.require(record, git);
        if (!plan.combinations().equals(record.combinations())) {
            throw broken(folder, "its combinations are not those of its arguments");
        }
        if (jmh.getWarmupMode().hasValue() && jmh.getWarmupMode().get().isBulk()) {
            throw refused("its warm-up is of all combinations at once (-wm), so none stands alone");
        }
        List<JmhEntries.Entry> entries = complete(folder, plan, jmh);
        var missing = new ArrayList<>(plan.combinations());
        for (JmhEntries.Entry e : entries) missing.remove(RunFiles.key(e.result()));
        if (missing.isEmpty()) throw finished(folder);
        SameInputs.require(entries);
        return new Resumable(folder, lock, record, arguments, jmh, plan, entries, missing);
    }

    /** A combination is complete if it has a result of each of the benchmark modes. */
    private static List<JmhEntries.Entry> complete(Path folder, Plan plan, CommandLineOptions jmh)
            throws IOException {
        Path json = folder.resolve(RunFiles.JMH);
        if (Files.notExists(json)) return List.of();
        Map<Combination, List<JmhEntries.Entry>> all =
                JmhEntries.read(json).stream().collect(groupingBy(e -> RunFiles.key(e.result())));
        if (!new HashSet<>(plan.combinations()).containsAll(all.keySet())) {
            throw broken(folder, "its jmh.json holds results that it was not asked for");
        }
        int modes = Math.max(1, jmh.getBenchModes().size());
        return plan.combinations().stream()
                .flatMap(
                        c ->
                                all.getOrDefault(c, List.of()).size() < modes
                                        ? Stream.empty()
                                        : all.get(c).stream())
                .toList();
    }

    private static void requireUnfinished(Path folder, RunRecord record) {
        if (!unfinished(record)) throw finished(folder);
    }

    private static boolean unfinished(RunRecord record) {
        return !record.status().equals(RunRecord.FINISHED)
                && record.results().size() < record.combinations().size();
    }

    private static RunLock lock(Path folder) throws IOException {
        Optional<RunLock> lock;
        try {
            lock = RunLock.take(folder);
        } catch (IOException e) {
            throw new IOException(
                    "cannot write in %s (%s)".formatted(folder, Errors.sentence(e)), e);
        }
        return lock.orElseThrow(
                () -> new IllegalArgumentException(folder + " is of a run that is still running"));
    }

    private static Path newest(Path results, GitState git) throws IOException {
        Path commit = results.resolve(git.name());
        List<Path> runs = List.of();
        if (Files.isDirectory(commit)) {
            try (Stream<Path> all = Files.list(commit)) {
                runs = all.sorted(Comparator.reverseOrder()).toList();
            }
        }
        for (Path run : runs) {
            if (Files.exists(run.resolve(RunRecord.FILE)) && free(run)) return run;
        }
        throw new IOException(
                "there is no unfinished run of commit %s in %s; give its folder: --resume FOLDER"
                        .formatted(git.name(), results));
    }

    /** Neither finished nor running. */
    private static boolean free(Path run) throws IOException {
        if (!unfinished(RunRecord.read(run))) return false;
        Optional<RunLock> lock = RunLock.take(run);
        if (lock.isPresent()) lock.get().release(false);
        return lock.isPresent();
    }

    static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("the run cannot go on: " + why);
    }

    private static IllegalArgumentException finished(Path folder) {
        return new IllegalArgumentException(
                folder + " is of a run that has measured everything; there is nothing to resume");
    }

    private static IOException broken(Path folder, String why) {
        return new IOException(
                "%s is broken: %s"
                        .formatted(folder.resolve(RunRecord.FILE), Texts.plain(why, 300)));
    }
}
