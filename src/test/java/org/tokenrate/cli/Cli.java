package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.tokenrate.softgpu.SoftGpu;

/** Runs the command line in a JVM of its own, as a user does. */
record Cli(int status, String out, String err) {
    private static final long TIMEOUT_MINUTES = 3;
    private static final String FAST_START = "-XX:TieredStopAtLevel=1";

    /** For JMH's forks. */
    static final String WITHOUT_C2 = "-jvmArgsAppend " + FAST_START;

    static Cli run(Path workingFolder, String... args) throws IOException, InterruptedException {
        return run(workingFolder, List.of(), args);
    }

    /**
     * @param environment {@code NAME=VALUE}, besides what this JVM has
     */
    static Cli run(Path workingFolder, List<String> environment, String... args)
            throws IOException, InterruptedException {
        return end(workingFolder, start(workingFolder, environment, args), args);
    }

    private static Cli end(Path workingFolder, Process process, String... args)
            throws IOException, InterruptedException {
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

    /** With files that can grow to this size and no further, which is as good as a full disk. */
    static Cli runWithSmallFiles(Path workingFolder, int kilobytes, String... args)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("bash", "-c", "ulimit -f $0; exec \"$@\""));
        command.add(String.valueOf(kilobytes));
        command.addAll(command(args));
        return end(workingFolder, start(workingFolder, List.of(), command), args);
    }

    static Process start(Path workingFolder, String... args) throws IOException {
        return start(workingFolder, List.of(), args);
    }

    static Process start(Path workingFolder, List<String> environment, String... args)
            throws IOException {
        return start(workingFolder, environment, command(args));
    }

    private static List<String> command(String... args) {
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
                                SoftGpu.classPath(),
                                Main.class.getName()));
        // As mvn -Pjmh has it: JMH's own use of Unsafe brings warnings.
        if (Runtime.version().feature() >= 23) {
            command.add(1, "--sun-misc-unsafe-memory-access=allow");
        }
        // It lives for seconds and is done before what C2 compiles is of use, unless it measures.
        if (!String.join(" ", args).contains("-f 0")) command.add(1, FAST_START);
        command.addAll(List.of(args));
        return command;
    }

    /**
     * A run of RequestThroughput on a few short dialogues whose forks, of a simulated engine, do
     * without C2 too.
     */
    static String[] brief(Path workingFolder, String arguments) throws IOException {
        String dataset = "-p dataset=" + FewDialogues.write(workingFolder);
        return ("RequestThroughput " + arguments + " " + dataset + " " + WITHOUT_C2).split(" ");
    }

    private static Process start(Path workingFolder, List<String> environment, List<String> command)
            throws IOException {
        var builder = new ProcessBuilder(command);
        for (String e : environment) {
            builder.environment().put(e.split("=", 2)[0], e.split("=", 2)[1]);
        }
        return builder.directory(workingFolder.toFile())
                .redirectOutput(workingFolder.resolve("stdout").toFile())
                .redirectError(workingFolder.resolve("stderr").toFile())
                .start();
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
