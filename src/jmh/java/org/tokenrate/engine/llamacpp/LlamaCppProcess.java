package org.tokenrate.engine.llamacpp;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The JVM that llama.cpp works in, its streams and its folder for the native library. */
final class LlamaCppProcess implements AutoCloseable {
    private static final int SECONDS = 10;

    /** Of what it wrote, what an error quotes. */
    private static final int LAST_LINES = 5;

    private static final int NATIVE_ACCESS_FLAG = 22;

    private final Path folder;
    private final Process process;
    final DataInputStream in;
    final DataOutputStream out;

    private LlamaCppProcess(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
        in = new DataInputStream(new BufferedInputStream(process.getInputStream()));
        out = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
    }

    /** Starts it; it then loads the model. */
    static LlamaCppProcess start(Path gguf, int vocabulary, LlamaCppSettings settings)
            throws IOException {
        Path folder = Files.createTempDirectory("tokenrate-llamacpp");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= NATIVE_ACCESS_FLAG) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(
                List.of(
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "-Dde.kherud.llama.tmpdir=" + folder,
                        "-cp",
                        System.getProperty("java.class.path"),
                        LlamaCppMain.class.getName(),
                        gguf.toString(),
                        String.valueOf(vocabulary),
                        String.valueOf(settings.threads()),
                        String.valueOf(settings.slots()),
                        String.valueOf(settings.totalContext()),
                        String.valueOf(settings.batch()),
                        String.valueOf(settings.pass()),
                        String.valueOf(settings.flashAttention()),
                        String.valueOf(settings.wholeFloats()),
                        String.valueOf(ProcessHandle.current().pid())));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectError(folder.resolve("log").toFile());
        builder.environment().put("GGML_NO_BACKTRACE", "1"); // it would call a debugger
        try {
            return new LlamaCppProcess(folder, builder.start());
        } catch (IOException e) {
            delete(folder);
            throw e;
        }
    }

    /** Waits until the model is loaded. */
    void awaitReady() throws IOException {
        int what;
        try {
            what = in.readByte();
        } catch (IOException e) {
            throw new IOException("llama.cpp " + end(), e);
        }
        if (what == Wire.REFUSED) throw new IOException("llama.cpp: " + in.readUTF());
    }

    long pid() {
        return process.pid();
    }

    /** How it ended, after its output has; with the end of what it wrote. */
    String end() throws IOException {
        try {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) return "no longer answers";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "no longer answers";
        }
        String log = Files.readString(folder.resolve("log"), StandardCharsets.ISO_8859_1);
        List<String> lines = log.lines().filter(line -> !line.isBlank()).toList();
        List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
        return "ended with status %d%s"
                .formatted(
                        process.exitValue(),
                        last.isEmpty() ? "" : ", after " + String.join(" / ", last));
    }

    /** Ends it, and takes its files away. */
    @Override
    public void close() {
        boolean interrupted = false;
        try {
            process.destroyForcibly();
            while (process.isAlive()) {
                try {
                    process.waitFor();
                } catch (InterruptedException e) {
                    interrupted = true; // its files can be deleted only after its end
                }
            }
        } finally {
            delete(folder);
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            folder.toFile().deleteOnExit(); // a temporary folder; nothing depends on it
        }
    }
}
