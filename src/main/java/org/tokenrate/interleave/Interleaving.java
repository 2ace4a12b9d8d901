package org.tokenrate.interleave;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.tokenrate.cache.CacheFolder;
import org.tokenrate.interleave.Turns.Who;

/**
 * Two commits, built and then run fork by fork in turn: A B B A A B B A …
 *
 * <p>Forks count in pairs. Where a fork fails, its pair is dropped: a side of which the slow forks
 * crash must not look faster for it, and a side must not have more of its forks late in the day.
 */
public final class Interleaving implements AutoCloseable {
    /** The name of a side that is the work tree with whatever is changed in it. */
    public static final String WORK_TREE = ".";

    private static final int MOST_FAILED_PAIRS = 3;
    private static final int BAD_ARGUMENTS = 2;

    private final PrintStream out;
    private final Repository repository;
    private final Path results;
    private final Path work;
    private final Path pending;
    private final Children children = new Children();
    private final Builds builds;
    private final List<Path> trees = new ArrayList<>();
    private final String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    private boolean closed;

    private Interleaving(Repository repository, Path results, PrintStream out) throws IOException {
        this.out = out;
        this.repository = repository;
        this.results = results.toAbsolutePath();
        work = Files.createTempDirectory("tokenrate-compare-").toRealPath();
        try {
            Files.createDirectories(this.results);
            pending = Files.createTempDirectory(this.results, ".pending-");
        } catch (IOException e) {
            Files.delete(work);
            throw new IOException(
                    "cannot write in %s (%s); give another folder, e.g. --results /tmp/results"
                            .formatted(results, e.getClass().getSimpleName()),
                    e);
        }
        builds = new Builds(CacheFolder.root().resolve("builds"), children);
        Runtime.getRuntime().addShutdownHook(new Thread(this::interrupted));
    }

    /**
     * @param folder in the repository
     * @param results base folder
     * @throws IOException if there is no repository, or the results cannot be written
     */
    public static Interleaving in(Path folder, Path results, PrintStream out) throws IOException {
        return new Interleaving(Repository.around(folder), results, out);
    }

    /**
     * What was measured.
     *
     * @param base name of the side, and a {@code jmh.json} a fork
     * @param failed forks that gave no result; they and their partners are in neither list
     */
    public record Measured(
            String base,
            List<Path> baseFiles,
            String candidate,
            List<Path> candidateFiles,
            int failed) {}

    /**
     * @param base a commit, or {@link #WORK_TREE}
     * @param forks of each side
     * @param arguments JMH's, without forks and results
     * @throws IOException if a side is no commit or does not build, or if no pair of forks ended
     *     well, in sentences
     */
    public Measured run(String base, String candidate, int forks, List<String> arguments)
            throws IOException {
        // Both names first: a build takes long enough to leave the room.
        var commits = new EnumMap<Who, String>(Who.class);
        commits.put(Who.BASE, repository.commit(revision(base)));
        commits.put(Who.CANDIDATE, repository.commit(revision(candidate)));
        var sides = new EnumMap<Who, Checkout>(Who.class);
        sides.put(Who.BASE, prepare(base, commits.get(Who.BASE), "base"));
        sides.put(Who.CANDIDATE, prepare(candidate, commits.get(Who.CANDIDATE), "candidate"));
        if (sides.get(Who.BASE).name().equals(sides.get(Who.CANDIDATE).name())) {
            out.println("both sides are the same commit: every difference will be chance");
        }
        return measure(sides, forks, arguments);
    }

    private Measured measure(Map<Who, Checkout> sides, int forks, List<String> arguments)
            throws IOException {
        var fork = new Fork(children, arguments, results, pending);
        var files = new EnumMap<Who, List<Path>>(Who.class);
        for (Who who : Who.values()) files.put(who, new ArrayList<>());
        int turn = 0;
        int failed = 0;
        int failedPairs = 0;
        long start = System.nanoTime();
        for (List<Who> pair : Turns.pairs(forks)) {
            var ofPair = new EnumMap<Who, Path>(Who.class);
            for (Who who : pair) {
                turn++;
                Path log = work.resolve("fork.log");
                long before = System.nanoTime();
                Fork.Outcome o = fork.run(sides.get(who), marks(sides, who, turn, forks), log);
                double seconds = (System.nanoTime() - before) / 1e9;
                double left = (System.nanoTime() - start) / 1e9 / turn * (2 * forks - turn);
                tell(turn, 2 * forks, who, sides.get(who), o, seconds, left);
                if (o.isWhole()) {
                    ofPair.put(who, o.jmhJson().orElseThrow());
                    continue;
                }
                failed++;
                out.println(Tail.of(log));
                if (o.status() == BAD_ARGUMENTS) {
                    throw new IOException(
                            "%s %s does not take these arguments, see above"
                                    .formatted(name(who), sides.get(who).name()));
                }
            }
            if (ofPair.size() == pair.size()) {
                ofPair.forEach((who, file) -> files.get(who).add(file));
            } else if (++failedPairs == MOST_FAILED_PAIRS) {
                out.println("stopped: forks failed in " + failedPairs + " pairs");
                break;
            }
        }
        if (files.get(Who.BASE).isEmpty()) {
            throw new IOException(
                    "no pair of forks ended well, see above; there is nothing to compare");
        }
        return new Measured(
                sides.get(Who.BASE).name(),
                files.get(Who.BASE),
                sides.get(Who.CANDIDATE).name(),
                files.get(Who.CANDIDATE),
                failed);
    }

    private static String revision(String side) {
        return side.equals(WORK_TREE) ? "HEAD" : side;
    }

    private Checkout prepare(String text, String commit, String role) throws IOException {
        boolean changed = text.equals(WORK_TREE) && repository.isDirty();
        String name = repository.shortName(commit) + (changed ? "-dirty" : "");
        Path tree = work.resolve(role);
        synchronized (this) {
            if (closed) throw new IOException("stopped");
            trees.add(tree);
            repository.checkOut(commit, tree);
        }
        if (changed) repository.copyChanges(tree);
        boolean kept = !changed && builds.has(commit);
        out.printf("%s %s: %s%n", role, name, kept ? "was built before" : "building …");
        Path jar = changed ? builds.build(tree, name) : builds.jar(commit, tree, name);
        return new Checkout(name, tree, jar);
    }

    private Map<String, String> marks(Map<Who, Checkout> sides, Who who, int turn, int forks) {
        var marks = new LinkedHashMap<String, String>();
        marks.put("started", started);
        marks.put("base", sides.get(Who.BASE).name());
        marks.put("candidate", sides.get(Who.CANDIDATE).name());
        marks.put("side", name(who));
        marks.put("turn", turn + " of " + 2 * forks);
        return marks;
    }

    private void tell(
            int turn,
            int turns,
            Who who,
            Checkout side,
            Fork.Outcome o,
            double seconds,
            double left) {
        out.printf(
                Locale.ROOT,
                "[%d/%d] %-9s %s  %s  %.1f s%s%n",
                turn,
                turns,
                name(who),
                side.name(),
                o.isWhole()
                        ? "measured"
                        : "FAILED (status " + o.status() + "): its pair is dropped",
                seconds,
                left < 1 ? "" : String.format(Locale.ROOT, "  (about %.0f s left)", left));
        out.flush();
    }

    private static String name(Who who) {
        return who.name().toLowerCase(Locale.ROOT);
    }

    private void interrupted() {
        if (isClosed()) return;
        children.stop();
        try {
            close();
            System.err.printf(
                    "%ninterrupted; what was measured is in %s under each commit, where compare"
                            + " without --run finds it%n",
                    results);
        } catch (IOException e) {
            System.err.println("ERROR: " + e.getMessage());
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** Removes what was made beside the results. To be called again does nothing. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            if (closed) return;
            closed = true;
            new Fork(children, List.of(), results, pending).file(Map.of("started", started));
            for (Path tree : trees) repository.remove(tree);
            delete(pending);
            delete(work);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.notExists(folder)) return;
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : all) Files.deleteIfExists(file);
    }
}
