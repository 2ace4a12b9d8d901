package org.tokenrate.llamacpp;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.tokenrate.engine.llamacpp.LlamaCppEngineProvider;
import org.tokenrate.gguf.TokenText;

/** Asks llama.cpp, in another JVM, to go on with prompts. */
final class LlamaCpp {
    private static final int MINUTES = 5;

    /** Lines of its log that an error quotes. */
    private static final int LAST_LINES = 15;

    private LlamaCpp() {}

    /** Whether the binding carries a native library for this platform. */
    static boolean isHere() {
        return new LlamaCppEngineProvider().diagnose().ready();
    }

    /**
     * The tokens that follow each prompt, chosen greedily.
     *
     * @param context longest prompt and answer in tokens
     * @param scratch a folder for its files
     * @throws IOException if llama.cpp refuses the model or dies, with the end of its log
     */
    static int[][] answers(
            Path gguf, int context, int[][] prompts, int count, TokenText text, Path scratch)
            throws IOException, InterruptedException {
        List<String> requests = new ArrayList<>();
        for (int[] prompt : prompts) requests.add(count + " " + text.text(prompt));
        Path requestFile = Files.write(scratch.resolve("requests.txt"), requests);
        Path answerFile = scratch.resolve("answers.txt");
        Path log = scratch.resolve("native.log");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Dde.kherud.llama.tmpdir=" + scratch,
                                "-cp",
                                System.getProperty("java.class.path"),
                                LlamaCppMain.class.getName(),
                                gguf.toString(),
                                Integer.toString(context),
                                requestFile.toString(),
                                answerFile.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile());
        builder.environment().put("GGML_NO_BACKTRACE", "1"); // it would call a debugger
        Process process = builder.start();
        try {
            if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                throw new IOException("llama.cpp took over " + MINUTES + " minutes" + end(log));
            }
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new IOException("llama.cpp ended with " + process.exitValue() + end(log));
        }
        List<String> answers = Files.readAllLines(answerFile);
        return answers.stream().map(text::tokens).toArray(int[][]::new);
    }

    private static String end(Path log) throws IOException {
        List<String> lines = Files.readAllLines(log);
        return ":\n"
                + String.join(
                        "\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
    }
}
