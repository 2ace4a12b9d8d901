package org.tokenrate.bench;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tokenrate.dataset.PythonRandom;
import org.tokenrate.dataset.ShareGptDataset;

/**
 * Reading a ShareGPT file and shuffling its conversations, tokenization aside, beside CPython's
 * {@code json.load} and {@code random.shuffle} of the same file. Our fork has a 512 MB heap;
 * CPython takes what it needs (about ten times the file), in a process that stays up between
 * invocations.
 *
 * <p>{@code java -jar target/benchmarks.jar DatasetBenchmark}; the second method needs {@code
 * python3} on the path.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx512m")
@Warmup(iterations = 1)
@Measurement(iterations = 5)
public class DatasetBenchmark {

    /** A generated file in the temporary folder, deleted at the end. */
    @State(Scope.Benchmark)
    public static class Dataset {
        /** Size of the file in MiB; ShareGPT_V3_unfiltered_cleaned_split.json has about 650. */
        @Param({"650"})
        public int sizeMb;

        Path file;

        @Setup
        public void write() throws IOException {
            PartBenchmark.requireAtLeast("sizeMb", sizeMb, 1);
            file = Files.createTempFile("sharegpt", ".json");
            GeneratedShareGpt.write(file, (long) sizeMb << 20, 1);
        }

        @TearDown
        public void delete() throws IOException {
            Files.delete(file);
        }
    }

    /** A CPython process that loads and shuffles the file once for each line it is sent. */
    @State(Scope.Benchmark)
    public static class Python {
        private static final String PROGRAM =
                """
                import json, random, sys
                for path in sys.stdin:
                    with open(path.rstrip("\\n"), encoding="utf-8") as f:
                        data = json.load(f)
                    random.seed(0)
                    random.shuffle(data)
                    print(len(data), flush=True)
                    del data
                """;

        private Process process;
        private BufferedWriter requests;
        private BufferedReader replies;

        @Setup
        public void start() throws IOException {
            process =
                    new ProcessBuilder("python3", "-c", PROGRAM)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            requests = process.outputWriter();
            replies = process.inputReader();
        }

        int load(Path file) throws IOException {
            requests.write(file + "\n");
            requests.flush();
            String reply = replies.readLine();
            if (reply == null) throw new IOException("python3 ended; its error is printed above");
            return Integer.parseInt(reply);
        }

        @TearDown
        public void stop() throws IOException, InterruptedException {
            requests.close();
            process.waitFor();
        }
    }

    @Benchmark
    public List<Integer> readAndShuffle(Dataset dataset) throws IOException {
        try (var opened = ShareGptDataset.open(dataset.file)) {
            var order = new ArrayList<>(IntStream.range(0, opened.size()).boxed().toList());
            new PythonRandom(0).shuffle(order);
            return order;
        }
    }

    @Benchmark
    public int cpythonReadAndShuffle(Dataset dataset, Python python) throws IOException {
        return python.load(dataset.file);
    }
}
