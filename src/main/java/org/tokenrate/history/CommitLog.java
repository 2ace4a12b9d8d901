package org.tokenrate.history;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What a repository knows of some commits. Nothing is asked of git but two lists, of which only the
 * commits in question are kept, so that no name of a folder is ever an argument.
 */
final class CommitLog {
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{4,64}");
    private static final int LONGEST_SUBJECT = 200;

    /**
     * A commit.
     *
     * @param position in the history of HEAD: parents before children, the commits of a branch side
     *     by side before its merge; among the others for one that is not in it
     * @param isInHead whether it is in the history of HEAD
     */
    record Commit(String hash, int position, boolean isInHead, Instant time, String subject) {}

    private final Map<String, Commit> byName = new HashMap<>();
    private final Set<String> ambiguous = new TreeSet<>();

    private CommitLog() {}

    /**
     * @param names beginnings of hashes; anything else is passed over
     * @return of an empty repository where the folder is in none, or there is no git
     */
    static CommitLog read(Path folder, Collection<String> names) throws IOException {
        var log = new CommitLog();
        Map<Integer, Set<String>> wanted = new HashMap<>();
        for (String n : names) {
            if (!HASH.matcher(n).matches()) continue;
            wanted.computeIfAbsent(n.length(), l -> new HashSet<>()).add(n);
        }
        if (wanted.isEmpty()) return log;
        try {
            log.read(folder, wanted, true, List.of("HEAD"));
            boolean all = wanted.values().stream().allMatch(log.byName.keySet()::containsAll);
            if (!all) log.read(folder, wanted, false, List.of("--all", "--not", "HEAD"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        log.byName.keySet().removeAll(log.ambiguous);
        return log;
    }

    Optional<Commit> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Names that several commits begin with. */
    Set<String> ambiguous() {
        return ambiguous;
    }

    boolean isEmpty() {
        return byName.isEmpty();
    }

    private void read(
            Path folder, Map<Integer, Set<String>> wanted, boolean inHead, List<String> which)
            throws IOException, InterruptedException {
        var command =
                new ArrayList<>(
                        List.of(
                                "git",
                                "rev-list",
                                "--topo-order",
                                "--reverse",
                                "--encoding=UTF-8",
                                "--format=%H %ct %s"));
        command.addAll(which);
        Process git;
        try {
            git =
                    new ProcessBuilder(command)
                            .directory(folder.toAbsolutePath().toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
        } catch (IOException e) {
            // No git: all are unknown, which the order says.
            return;
        }
        git.getOutputStream().close();
        Set<String> before = Set.copyOf(byName.keySet());
        try (var lines = new BufferedReader(new InputStreamReader(git.getInputStream(), UTF_8))) {
            int position = 0;
            String line;
            while ((line = lines.readLine()) != null) {
                if (line.startsWith("commit ")) continue;
                keep(line, position++, inHead, wanted, before);
            }
        }
        git.waitFor();
    }

    private void keep(
            String line,
            int position,
            boolean inHead,
            Map<Integer, Set<String>> wanted,
            Set<String> known) {
        String[] fields = line.split(" ", 3);
        for (var length : wanted.entrySet()) {
            if (fields[0].length() < length.getKey()) continue;
            String name = fields[0].substring(0, length.getKey());
            // What HEAD has is meant, whatever else begins like it.
            if (!length.getValue().contains(name) || known.contains(name)) continue;
            String subject = fields.length > 2 ? fields[2] : "";
            if (subject.length() > LONGEST_SUBJECT) subject = subject.substring(0, LONGEST_SUBJECT);
            Instant time = Instant.ofEpochSecond(Long.parseLong(fields[1]));
            var commit = new Commit(fields[0], position, inHead, time, subject);
            if (byName.put(name, commit) != null) ambiguous.add(name);
        }
    }
}
