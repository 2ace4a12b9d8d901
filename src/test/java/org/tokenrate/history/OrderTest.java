package org.tokenrate.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrderTest {
    @TempDir Path folder;
    private GitRepository repository;
    private final List<MeasuredRun> runs = new ArrayList<>();

    @BeforeEach
    void makeRepository() throws Exception {
        repository = new GitRepository(folder);
    }

    @Test
    void commitsStandInTheOrderOfHistoryNotOfNamesOrRuns() throws Exception {
        var names = new ArrayList<String>();
        for (int i = 0; i < 12; i++) names.add(repository.commit("Commit " + i));
        // Measured from the newest to the oldest.
        for (int i = 11; i >= 0; i--) measured(names.get(i), "2026-02-%02dT00:00:00Z", 12 - i);
        assertEquals(names, order());
        assertEquals("Commit 3", placed().get(3).state().subject());
        assertEquals(State.Kind.COMMIT, placed().get(3).state().kind());
    }

    @Test
    void aBranchStandsSideBySideBeforeItsMerge() throws Exception {
        String base = repository.commit("base");
        repository.git("checkout", "-q", "-b", "side");
        String side1 = repository.commit("side 1");
        repository.git("checkout", "-q", "main");
        String main1 = repository.commit("main 1");
        repository.git("checkout", "-q", "side");
        String side2 = repository.commit("side 2");
        repository.git("checkout", "-q", "main");
        String main2 = repository.commit("main 2");
        String merge = repository.merge("side");
        for (String c : List.of(merge, side2, main1, side1, base, main2)) {
            measured(c, "2026-02-%02dT00:00:00Z", 1);
        }
        assertEquals(List.of(base, main1, main2, side1, side2, merge), order());
    }

    @Test
    void whatGitDoesNotKnowStandsWhereItsTimePutsIt() throws Exception {
        String first = repository.commit("first"); // 2026-01-01T00
        String second = repository.commit("second"); // 01
        repository.git("checkout", "-q", "-b", "other");
        String other = repository.commit("other"); // 02
        repository.git("checkout", "-q", "main");
        String third = repository.commit("third"); // 03
        measured(third, "2026-02-%02dT00:00:00Z", 1);
        measured(second, "2026-02-%02dT00:00:00Z", 1);
        measured(first, "2026-02-%02dT00:00:00Z", 1);
        measured(other, "2026-02-%02dT00:00:00Z", 1);
        measured("nogit", "2025-12-%02dT00:00:00Z", 1);
        measured("0123456", "2026-01-01T%02d:30:00Z", 0);
        measured(second + "-dirty", "2026-01-01T%02d:20:00Z", 1);
        measured(second + "-dirty", "2026-01-01T%02d:40:00Z", 1);
        assertEquals(
                List.of(
                        "nogit",
                        first,
                        "0123456",
                        second,
                        second + "-dirty",
                        second + "-dirty",
                        other,
                        third),
                order());
        assertEquals(
                List.of(
                        State.Kind.NO_GIT,
                        State.Kind.COMMIT,
                        State.Kind.UNKNOWN,
                        State.Kind.COMMIT,
                        State.Kind.DIRTY,
                        State.Kind.DIRTY,
                        State.Kind.ELSEWHERE,
                        State.Kind.COMMIT),
                placed().stream().map(p -> p.state().kind()).toList());
    }

    @Test
    void shorterAndLongerNamesOfACommitAreOnePoint() throws Exception {
        String name = repository.commit("one");
        String full = repository.git("rev-parse", "HEAD");
        measured(name, "2026-02-%02dT00:00:00Z", 1);
        measured(full.substring(0, 12), "2026-02-%02dT00:00:00Z", 2);
        measured(full, "2026-02-%02dT00:00:00Z", 3);
        assertEquals(List.of(name), order());
        assertEquals(3, placed().get(0).runs().size());
    }

    @Test
    void aCloneKnowsTheCommitsOfBaselines() throws Exception {
        String first = repository.commit("first");
        String second = repository.commit("second");
        measured(second, "2026-02-%02dT00:00:00Z", 1);
        measured(first, "2026-02-%02dT00:00:00Z", 2);
        Path clone = folder.resolve("clone");
        repository.git("clone", "-q", ".", clone.toString());
        CommitLog log = CommitLog.read(clone, Order.commits(runs));
        assertEquals(
                List.of(first, second),
                Order.of(runs, log).stream().map(p -> p.state().name()).toList());
    }

    @Test
    void withoutARepositoryEverythingStandsByTime(@TempDir Path plain) throws Exception {
        measured("bbbbbbb", "2026-02-%02dT00:00:00Z", 1);
        measured("aaaaaaa", "2026-02-%02dT00:00:00Z", 2);
        CommitLog log = CommitLog.read(plain, Set.of("aaaaaaa", "bbbbbbb"));
        assertTrue(log.isEmpty());
        assertEquals(
                List.of("bbbbbbb", "aaaaaaa"),
                Order.of(runs, log).stream().map(p -> p.state().name()).toList());
        CommitLog none = CommitLog.read(Files.createDirectory(plain.resolve("x")), Set.of("--all"));
        assertTrue(none.isEmpty());
    }

    private void measured(String commit, String time, int number) {
        Instant started = Instant.parse(time.formatted(number));
        Path file = Path.of("results", commit, started.toString(), "jmh.json");
        runs.add(new MeasuredRun(commit, file, started, List.of()));
    }

    private List<Order.Placed> placed() throws Exception {
        return Order.of(runs, CommitLog.read(folder, Order.commits(runs)));
    }

    private List<String> order() throws Exception {
        return placed().stream().map(p -> p.state().name()).toList();
    }
}
