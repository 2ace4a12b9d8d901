package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs the command line in a JVM of its own, as a user does. */
record Cli(int status, String out, String err) {
    private static final long TIMEOUT_MINUTES = 3;

    static Cli run(Path workingFolder, String... args) throws IOException, InterruptedException {
        return run(workingFolder, Map.of(), args);
    }

    /**
     * @param environment variables beside those of this process
     */
    static Cli run(Path workingFolder, Map<String, String> environment, String... args)
            throws IOException, InterruptedException {
        Process process = start(workingFolder, environment, args);
        if (!process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            throw new IOException("still running: " + String.join(" ", args));
        }
        return new Cli(
                process.exitValue(),
                Files.readString(workingFolder.resolve("stdout")),
                Files.readString(workingFolder.resolve("stderr")));
    }

    static Process start(Path workingFolder, String... args) throws IOException {
        return start(workingFolder, Map.of(), args);
    }

    private static Process start(
            Path workingFolder, Map<String, String> environment, String... args)
            throws IOException {
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                // Other JMH runs of this machine are none of a test's business.
                                "-Djmh.ignoreLock=true",
                                // A locale with a decimal comma.
                                "-Duser.language=de",
                                "-Duser.country=DE",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName()));
        // As mvn -Pjmh has it: JMH's own use of Unsafe brings warnings.
        if (Runtime.version().feature() >= 23) {
            command.add(1, "--sun-misc-unsafe-memory-access=allow");
        }
        command.addAll(List.of(args));
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(workingFolder.toFile())
                        .redirectOutput(workingFolder.resolve("stdout").toFile())
                        .redirectError(workingFolder.resolve("stderr").toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** The one run's folder. */
    static Path runFolder(Path workingFolder) throws IOException {
        try (Stream<Path> folders = Files.list(workingFolder.resolve("results/nogit"))) {
            List<Path> all = folders.toList();
            if (all.size() != 1) throw new IOException("not one run but " + all);
            return all.get(0);
        }
    }
}
