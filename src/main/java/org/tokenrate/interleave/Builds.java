package org.tokenrate.interleave;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Builds benchmarks.jar of a commit, or finds it where an earlier build was kept. */
final class Builds {
    /** Each is tens of MB. */
    private static final int MOST_KEPT = 8;

    private static final Path JAR = Path.of("target", "benchmarks.jar");

    private final Path kept;
    private final Children children;

    /**
     * @param kept folder for jars by commit
     */
    Builds(Path kept, Children children) {
        this.kept = kept;
        this.children = children;
    }

    /** Whether {@link #jar} need not build. */
    boolean has(String commit) {
        return Files.isRegularFile(file(commit));
    }

    /**
     * The jar of a commit.
     *
     * @param tree a work tree of it
     */
    Path jar(String commit, Path tree, String name) throws IOException {
        Path file = file(commit);
        if (!has(commit)) {
            Path built = build(tree, name);
            Files.createDirectories(kept);
            Path part = Files.createTempFile(kept, "jar", ".part");
            Files.copy(built, part, StandardCopyOption.REPLACE_EXISTING);
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        forgetOldest();
        return file;
    }

    /**
     * Builds what is in a work tree.
     *
     * @param name for errors
     * @throws IOException if that fails, with the last lines of what Maven said and where all is
     */
    Path build(Path tree, String name) throws IOException {
        if (!Files.isRegularFile(tree.resolve("pom.xml"))) {
            throw new IOException(name + " has no pom.xml, so it cannot be built");
        }
        Path log = Files.createTempFile("tokenrate-build-", ".log");
        int status = children.run(List.of("mvn", "-q", "-B", "-DskipTests", "package"), tree, log);
        if (status != 0) {
            throw new IOException(
                    "%s does not build (mvn ended with status %d); the end of %s is%n%s"
                            .formatted(name, status, log, Tail.of(log)));
        }
        Files.delete(log);
        Path jar = tree.resolve(JAR);
        if (Files.isRegularFile(jar)) return jar;
        throw new IOException(
                name + " builds, but not to " + JAR + ": it is from before there were benchmarks");
    }

    /** Other Javas compile to other classes. */
    private Path file(String commit) {
        return kept.resolve(commit + "-java" + Runtime.version().feature() + ".jar");
    }

    private void forgetOldest() throws IOException {
        List<Path> jars;
        try (Stream<Path> all = Files.list(kept)) {
            jars =
                    all.filter(f -> f.toString().endsWith(".jar"))
                            .sorted(Comparator.comparing(Builds::used).reversed())
                            .toList();
        }
        for (Path old : jars.stream().skip(MOST_KEPT).toList()) Files.deleteIfExists(old);
    }

    private static FileTime used(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            // Another program has just deleted it.
            return FileTime.fromMillis(0);
        }
    }
}
