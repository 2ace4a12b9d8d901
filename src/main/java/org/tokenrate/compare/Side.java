package org.tokenrate.compare;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * One side of a comparison: the runs of a commit, or a single run. Several runs are taken together:
 * the forks of the later ones are further forks of the same commit.
 *
 * @param name as the user gave it
 * @param runs at least one, in the order of their folders' names, which is that of time
 */
public record Side(String name, List<Run> runs) {
    private static final String JMH_JSON = "jmh.json";

    /** Git's shortest unambiguous hash has this many digits at least. */
    private static final int SHORT_HASH = 7;

    /**
     * Finds what a user means by {@code text}: a {@code jmh.json}, a run's folder, a commit's
     * folder, or a commit, given as the name of a folder in {@code results}, a longer hash or an
     * unambiguous beginning.
     *
     * @throws IOException if there is no such thing, or several, or it cannot be read, in one
     *     sentence
     */
    public static Side find(String text, Path results) throws IOException {
        return of(text, files(text, results));
    }

    /** The {@code jmh.json} files, at least one, that {@link #find} would read. */
    public static List<Path> files(String text, Path results) throws IOException {
        Path path = Path.of(text);
        if (Files.isRegularFile(path)) return List.of(path);
        Path folder = Files.isDirectory(path) ? path : commitFolder(text, results);
        if (Files.isRegularFile(folder.resolve(JMH_JSON))) {
            return List.of(folder.resolve(JMH_JSON));
        }
        List<Path> files =
                folders(folder).stream()
                        .map(f -> f.resolve(JMH_JSON))
                        .filter(Files::isRegularFile)
                        .toList();
        if (files.isEmpty()) {
            throw new IOException(
                    folder + " holds no jmh.json, nor does a folder in it; has a run ended there?");
        }
        return files;
    }

    /**
     * The {@code jmh.json} of the run that began last.
     *
     * @throws IOException if there is none, in one sentence
     */
    public static Path newest(Path results) throws IOException {
        List<Path> commits = Files.isDirectory(results) ? folders(results) : List.of();
        var runs = new ArrayList<Path>();
        for (Path commit : commits) runs.addAll(folders(commit));
        return runs.stream()
                .filter(r -> Files.isRegularFile(r.resolve(JMH_JSON)))
                .max(Comparator.comparing(Side::name))
                .orElseThrow(
                        () ->
                                new IOException(
                                        "there is no result in %s yet; run a benchmark, or give a run's folder"
                                                .formatted(results)))
                .resolve(JMH_JSON);
    }

    /** Of these files, in this order. */
    public static Side of(String name, List<Path> jmhJsons) throws IOException {
        var runs = new ArrayList<Run>();
        for (Path file : jmhJsons) runs.add(Run.read(file));
        return new Side(name, List.copyOf(runs));
    }

    private static Path commitFolder(String text, Path results) throws IOException {
        List<Path> all = Files.isDirectory(results) ? folders(results) : List.of();
        List<Path> found = all.stream().filter(f -> name(f).equals(text)).toList();
        if (found.isEmpty()) found = all.stream().filter(f -> isMeant(name(f), text)).toList();
        if (found.size() == 1) return found.get(0);
        if (found.isEmpty()) {
            throw new IOException(
                    "'%s' is neither a file, a folder nor a commit in %s; that has %s"
                            .formatted(text, results, all.isEmpty() ? "none" : names(all)));
        }
        throw new IOException(
                "'%s' may be %s in %s; give more of the name"
                        .formatted(text, names(found), results));
    }

    private static boolean isMeant(String folder, String text) {
        return folder.startsWith(text)
                || (folder.length() >= SHORT_HASH && text.startsWith(folder));
    }

    private static List<Path> folders(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isDirectory).sorted().toList();
        }
    }

    private static String name(Path folder) {
        return folder.getFileName().toString();
    }

    private static String names(List<Path> folders) {
        return folders.stream().map(Side::name).collect(joining(", "));
    }
}
