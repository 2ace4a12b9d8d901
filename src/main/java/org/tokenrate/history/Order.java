package org.tokenrate.history;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The order of what was measured: that of the commits in the history of HEAD. What is not in it
 * comes after the last of them that is not younger.
 */
final class Order {
    private static final String DIRTY = "-dirty";
    private static final String NO_GIT = "nogit";

    /**
     * A state and its runs: all of a commit, one of a changed work tree, as the next run may have
     * been of another one.
     */
    record Placed(State state, List<MeasuredRun> runs) {}

    /** A state with its place: after so many commits, at this time. */
    private record Slot(int position, Instant time, Placed placed) {}

    private static final Comparator<Slot> IN_ORDER =
            Comparator.comparingInt(Slot::position)
                    .thenComparing(s -> s.placed.state.kind() != State.Kind.COMMIT)
                    .thenComparing(Slot::time)
                    .thenComparing(s -> s.placed.state.name())
                    .thenComparing(s -> s.placed.runs.get(0).file());

    private Order() {}

    /** The names of folders that a {@link CommitLog} should know. */
    static TreeSet<String> commits(List<MeasuredRun> runs) {
        var names = new TreeSet<String>();
        for (MeasuredRun r : runs) names.add(r.folder());
        return names;
    }

    static List<Placed> of(List<MeasuredRun> runs, CommitLog log) {
        Map<Object, List<MeasuredRun>> byState = new LinkedHashMap<>();
        for (MeasuredRun r : runs) {
            byState.computeIfAbsent(identity(r, log), k -> new ArrayList<>()).add(r);
        }
        var known = new ArrayList<CommitLog.Commit>();
        var slots = new ArrayList<Slot>();
        for (List<MeasuredRun> same : byState.values()) {
            Optional<CommitLog.Commit> commit = log.find(same.get(0).folder());
            if (commit.isPresent() && commit.get().isInHead()) {
                known.add(commit.get());
                var state = state(same, State.Kind.COMMIT, commit.get());
                slots.add(new Slot(commit.get().position(), state.time(), new Placed(state, same)));
            }
        }
        for (List<MeasuredRun> same : byState.values()) {
            MeasuredRun first = same.get(0);
            Optional<CommitLog.Commit> commit = log.find(first.folder());
            if (commit.isPresent() && commit.get().isInHead()) continue;
            State state =
                    commit.map(c -> state(same, State.Kind.ELSEWHERE, c))
                            .orElseGet(() -> unknown(first));
            int position = -1;
            for (CommitLog.Commit c : known) {
                if (!c.time().isAfter(state.time())) position = Math.max(position, c.position());
            }
            slots.add(new Slot(position, state.time(), new Placed(state, same)));
        }
        return slots.stream().sorted(IN_ORDER).map(Slot::placed).toList();
    }

    /** Equal for runs of the same state: a commit may have folders of shorter and longer names. */
    private static Object identity(MeasuredRun run, CommitLog log) {
        Optional<CommitLog.Commit> commit = log.find(run.folder());
        if (commit.isPresent()) return commit.get().hash();
        boolean isCommit = kind(run.folder()) == State.Kind.UNKNOWN;
        return isCommit ? run.folder() : run.file();
    }

    private static State state(List<MeasuredRun> runs, State.Kind kind, CommitLog.Commit commit) {
        return new State(runs.get(0).folder(), kind, commit.time(), commit.subject());
    }

    private static State unknown(MeasuredRun first) {
        return new State(first.folder(), kind(first.folder()), first.started(), "");
    }

    private static State.Kind kind(String folder) {
        if (folder.endsWith(DIRTY)) return State.Kind.DIRTY;
        return folder.equals(NO_GIT) ? State.Kind.NO_GIT : State.Kind.UNKNOWN;
    }
}
