package org.tokenrate.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.cache.CacheFolder;

/**
 * {@code compare --run} on a small repository, whose commits name an engine in a file. Git, the
 * forks and their files are real; Maven is a script that puts a prepared jar in its place.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "Maven's stand-in is a shell script")
class InterleavedRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FAST = "simulated:1ms:1ms";
    private static final String SLOW = "simulated:3ms:3ms";

    @TempDir Path folder;
    private Path repository;
    private Path dataset;
    private int answerTokens = 10;

    @BeforeEach
    void makeTheRepository() throws Exception {
        repository = Files.createDirectory(folder.resolve("repository"));
        dataset = FewDialogues.write(folder);
        Path jar = folder.resolve("prepared.jar");
        writeJar(jar);
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Path mvn =
                Files.writeString(
                        bin.resolve("mvn"),
                        """
                        #!/bin/sh
                        if [ -f broken ]; then echo "[ERROR] it is broken"; exit 1; fi
                        mkdir -p target && cp '%s' target/benchmarks.jar
                        """
                                .formatted(jar));
        Files.setPosixFilePermissions(mvn, PosixFilePermissions.fromString("rwxr-xr-x"));
        // The built-in dialogues take a while to make; builds must not mix with the user's.
        Path cache = Files.createDirectory(folder.resolve("tokenrate"));
        if (Files.isDirectory(CacheFolder.root())) {
            try (Stream<Path> kept = Files.list(CacheFolder.root())) {
                for (Path k : kept.filter(f -> !f.endsWith("builds")).toList()) {
                    Files.createSymbolicLink(cache.resolve(k.getFileName()), k);
                }
            }
        }
        git("init", "-q", "-b", "main");
        Files.writeString(repository.resolve(".gitignore"), "target/\n/results/\n/std*\n");
        Files.writeString(repository.resolve("pom.xml"), "<project/>\n");
        commit(FAST, "fast");
        commit(SLOW, "slow");
    }

    @AfterEach
    void cutTheLinks() throws IOException {
        for (Path f : list(folder.resolve("tokenrate"))) {
            if (Files.isSymbolicLink(f)) Files.delete(f);
        }
    }

    @Test
    void bothCommitsRunInTurnAndTheSlowerOneIsFound() throws Exception {
        answerTokens = 300; // a difference that stands out from a busy machine's noise
        Cli cli =
                compare("fast", "slow", "--forks", "4", "--across", "engine", "--fail-over", "20%");
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertEquals(
                "base candidate candidate base base candidate candidate base",
                cli.out()
                        .lines()
                        .filter(l -> l.startsWith("["))
                        .map(l -> l.replaceAll("\\[\\d/8\\] (\\w+) .*", "$1"))
                        .collect(joining(" ")));
        assertTrue(cli.out().contains("base 4 forks, 4 iterations"), cli.out());
        assertTrue(cli.out().contains("FAILED: "), cli.out());
        assertTrue(cli.out().contains("slower"), cli.out());

        var turns = new TreeSet<String>();
        for (String tag : List.of("fast", "slow")) {
            List<Path> runs = list(repository.resolve("results").resolve(hash(tag)));
            assertEquals(4, runs.size(), runs.toString());
            for (Path run : runs) {
                JsonNode marks =
                        JSON.readTree(run.resolve("run.json").toFile()).get("interleaving");
                assertEquals(hash("fast"), marks.get("base").asText());
                assertEquals(tag.equals("fast") ? "base" : "candidate", marks.get("side").asText());
                turns.add(marks.get("turn").asText());
            }
        }
        assertEquals(8, turns.size());
        nothingIsLeft();

        Cli again = compare("slow", "slow", "--forks", "1", "--json", "-");
        assertEquals(0, again.status(), again.err());
        assertTrue(
                again.err().contains("base " + hash("slow") + ": was built before"), again.err());
        assertTrue(again.err().contains("both sides are the same commit"), again.err());
        assertTrue(JSON.readTree(again.out()).isObject());
    }

    @Test
    void theWorkTreeIsASideAndIsNotTouched() throws Exception {
        Files.writeString(repository.resolve("engine"), FAST);
        Files.writeString(repository.resolve("new file"), "x");
        Cli cli = compare("slow", ".", "--forks", "1", "--across", "engine");
        assertEquals(0, cli.status(), cli.out() + cli.err());
        Path run = list(repository.resolve("results").resolve(hash("slow") + "-dirty")).get(0);
        String ran = JSON.readTree(run.resolve("jmh.json").toFile()).get(0).get("params") + "";
        assertTrue(ran.contains(FAST), ran);
        assertEquals(" M engine\n?? \"new file\"\n", git("status", "--porcelain"));
        assertEquals(1, git("worktree", "list").lines().count());
    }

    @Test
    void aPairWithAFailedForkIsDroppedAndThreeEndTheRun() throws Exception {
        commit("simulated:1ms:1ms:fail=1", "failing");
        Cli cli = compare("fast", "failing", "--forks", "5", "--across", "engine");
        assertEquals(2, cli.status(), cli.out() + cli.err());
        assertTrue(cli.out().contains("FAILED (status 1): its pair is dropped"), cli.out());
        assertTrue(cli.out().contains("simulated failure after"), cli.out());
        assertTrue(cli.out().contains("stopped: forks failed in 3 pairs"), cli.out());
        assertTrue(cli.err().startsWith("ERROR: no pair of forks ended well"), cli.err());
        nothingIsLeft();
    }

    @Test
    void whatCannotRunIsToldInASentence() throws Exception {
        assertEquals(
                "ERROR: 'nowhere' is no commit of " + repository.toRealPath() + "\n",
                refused("nowhere", "slow"));
        Files.writeString(repository.resolve("broken"), "");
        commit(SLOW, "broken");
        String broken = refused("fast", "broken");
        assertTrue(broken.startsWith("ERROR: " + hash("broken") + " does not build"), broken);
        assertTrue(broken.endsWith("  [ERROR] it is broken\n"), broken);
        String dashF = refused("fast", "slow", "--", "-f", "2");
        assertEquals("ERROR: give --forks N before --, not -f after it\n", dashF);
        String parameter = refused("fast", "slow", "--forks", "1", "--", "-p", "nothing=1");
        assertTrue(parameter.contains("does not take these arguments, see above"), parameter);
        nothingIsLeft();

        Cli outside = Cli.run(folder, "compare", "--run", "a", "b");
        assertEquals(2, outside.status());
        assertTrue(outside.err().contains(" is in no git repository"), outside.err());
    }

    @Test
    void anInterruptedOneKeepsItsForksAndLeavesNothingElse() throws Exception {
        Process process =
                Cli.start(repository, environment(), command("fast", "slow", "--forks", "50"));
        long start = System.nanoTime();
        Path stdout = repository.resolve("stdout");
        while (!Files.readString(stdout).contains("[3/100]")) {
            assertTrue(System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2));
            Thread.sleep(50);
        }
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        process.waitFor();
        String err = Files.readString(repository.resolve("stderr"));
        assertTrue(err.contains("interrupted; what was measured is in "), err);
        assertTrue(children.stream().noneMatch(ProcessHandle::isAlive));
        assertTrue(
                Files.isRegularFile(
                        list(repository.resolve("results").resolve(hash("fast")))
                                .get(0)
                                .resolve("jmh.json")));
        nothingIsLeft();
    }

    private void nothingIsLeft() throws Exception {
        assertEquals(1, git("worktree", "list").lines().count());
        assertEquals("", git("status", "--porcelain"));
        for (Path f : list(repository.resolve("results"))) {
            assertFalse(f.getFileName().toString().startsWith("."), f.toString());
        }
    }

    private String refused(String... arguments) throws Exception {
        Cli cli = compare(arguments);
        assertEquals(2, cli.status(), cli.out() + cli.err());
        return cli.err();
    }

    private Cli compare(String... arguments) throws Exception {
        return Cli.run(repository, environment(), command(arguments));
    }

    private String[] command(String... arguments) {
        var all = new ArrayList<>(List.of("compare", "--run"));
        all.addAll(List.of(arguments));
        if (!all.contains("--")) all.add("--");
        all.addAll(List.of("-p numPrompts=4 -p concurrency=4 -wi 0 -i 1".split(" ")));
        all.addAll(List.of("-p", "dataset=output:" + answerTokens + "@" + dataset));
        all.addAll(List.of(Cli.WITHOUT_C2.split(" ")));
        return all.toArray(String[]::new);
    }

    private List<String> environment() {
        return List.of(
                "PATH=" + folder.resolve("bin") + File.pathSeparator + System.getenv("PATH"),
                "XDG_CACHE_HOME=" + folder);
    }

    private void commit(String engine, String tag) throws Exception {
        Files.writeString(repository.resolve("engine"), engine + "\n");
        git("add", "-A");
        git(
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.org",
                "commit",
                "-q",
                "--allow-empty",
                "-m",
                tag);
        git("tag", tag);
    }

    private String hash(String tag) throws Exception {
        return git("rev-parse", "--short", tag).strip();
    }

    private String git(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        Process git =
                new ProcessBuilder(command)
                        .directory(repository.toFile())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String out = new String(git.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, git.waitFor(), String.join(" ", command));
        return out;
    }

    private static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    /** A jar without classes, whose manifest says where they are. */
    private static void writeJar(Path jar) throws IOException {
        var manifest = new Manifest();
        Attributes a = manifest.getMainAttributes();
        a.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        a.put(Attributes.Name.MAIN_CLASS, CommittedMain.class.getName());
        a.put(
                Attributes.Name.CLASS_PATH,
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                        .map(p -> Path.of(p).toUri().toString())
                        .collect(joining(" ")));
        try (OutputStream out = Files.newOutputStream(jar)) {
            new JarOutputStream(out, manifest).close();
        }
    }
}
