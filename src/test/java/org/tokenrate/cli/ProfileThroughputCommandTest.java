package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ProfileThroughputCommandTest {
    @TempDir Path folder;

    @Test
    void theDefaultsAreLmdeploys() {
        assertEquals(
                Map.ofEntries(
                        Map.entry("engine", "auto"),
                        Map.entry("model", "m"),
                        Map.entry("modelFormat", "hf"),
                        Map.entry("dataset", "d"),
                        Map.entry("numPrompts", "5000"),
                        Map.entry("concurrency", "256"),
                        Map.entry("tp", "1"),
                        Map.entry("topK", "1"),
                        Map.entry("topP", "0.8"),
                        Map.entry("temperature", "0.8"),
                        Map.entry("streamOutput", "true"),
                        Map.entry("seed", "0"),
                        Map.entry("cacheCount", "0.5"),
                        Map.entry("logLevel", "ERROR"),
                        Map.entry("dtype", "auto"),
                        Map.entry("sampling", "shuffle")),
                parameters("d", "m"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    -c 3                       | concurrency  | 3
                    -c3                        | concurrency  | 3
                    --concurrency=3            | concurrency  | 3
                    -n 7                       | numPrompts   | 7
                    --num-prompts 7            | numPrompts   | 7
                    --num_prompts=7            | numPrompts   | 7
                    --tp 2                     | tp           | 2
                    --top_k 40                 | topK         | 40
                    --top-k=40                 | topK         | 40
                    --top_p .9                 | topP         | .9
                    --top-p .9                 | topP         | .9
                    --temperature 1            | temperature  | 1
                    --stream_output True       | streamOutput | true
                    --stream_output False      | streamOutput | false
                    --stream-output=False      | streamOutput | false
                    --stream-output            | streamOutput | true
                    --no-stream-output         | streamOutput | false
                    --no_stream_output         | streamOutput | false
                    --seed -3                  | seed         | -3
                    --cache-count 0.8          | cacheCount   | 0.8
                    --cache_count 0.8          | cacheCount   | 0.8
                    --cache-max-entry-count .8 | cacheCount   | .8
                    --cache_max_entry_count .8 | cacheCount   | .8
                    --model-format llama       | modelFormat  | llama
                    --model_format None        | modelFormat  | auto
                    --log-level INFO           | logLevel     | INFO
                    --log_level WARNING        | logLevel     | WARN
                    --log_level critical       | logLevel     | ERROR
                    --dtype bfloat16           | dtype        | bf16
                    --dtype float32            | dtype        | f32
                    --engine cpu:1             | engine       | cpu:1
                    --backend cpu              | engine       | cpu
                    --sampling presample       | sampling     | presample
                    --sharegpt-output-len 128  | dataset      | output:128@d
                    --sharegpt_output_len 128  | dataset      | output:128@d
                    --dataset-name sharegpt    | dataset      | d
                    --dataset-name random --random-input-len 9 --random-output-len 8 | dataset | random:9/8@d
                    --dataset_name random --random_input_len 9 --random_output_len 8 --random_range_ratio 0.5 | dataset | random:9/8/0.5@d
                    --skip-tokenize --quant-policy 0 --dp 1 --cancel-rate 0 --cache-block-seq-len 64 | dataset | d
                    """)
    void everyAliasMeansItsParameter(String args, String parameter, String value) {
        var all = new ArrayList<>(List.of(args.split(" ")));
        all.addAll(List.of("d", "m"));
        assertEquals(value, parameters(all.toArray(String[]::new)).get(parameter));
        Collections.rotate(all, 2); // paths first, as LMDeploy's page has them
        assertEquals(value, parameters(all.toArray(String[]::new)).get(parameter));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "d m",
                "--dataset-path d --model-path m",
                "--dataset d --model_path m",
                "--dataset_path=d m",
                "d --model m"
            })
    void pathsAreTakenInPlaceOrByName(String args) {
        Map<String, String> p = parameters(args.split(" "));
        assertEquals("d", p.get("dataset"));
        assertEquals("m", p.get("model"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    builtin                                     | MODEL_PATH is missing
                    ""                                          | DATASET is missing
                    a b c                                       | 'c' is one path too many
                    --dataset d builtin c                       | 'c' is one path too many
                    builtin builtin -c 0                        | --concurrency 0 must be from 1 to 100000, e.g. --concurrency 16
                    builtin builtin -c -1                       | --concurrency -1 must be from 1 to
                    builtin builtin -n 99999999999999999999     | --num-prompts 99999999999999999999 must be from 1 to 10000000
                    builtin builtin --top_p 1.5                 | --top-p 1.5 must be a number in (0, 1], e.g. --top-p 0.8
                    builtin builtin --seed x                    | --seed x must be a whole number
                    builtin builtin --tp 3                      | --tp 3 must be a power of two
                    builtin /no/such                            | MODEL_PATH /no/such is not a folder
                    /no/such.json builtin                       | DATASET /no/such.json is not a readable file
                    /tmp builtin                                | DATASET /tmp is a folder
                    builtin builtin --csv /no/such/a.csv        | --csv /no/such/a.csv cannot be written
                    builtin builtin --csv /tmp                  | --csv /tmp cannot be written
                    builtin builtin --warmup -1                 | --warmup -1 must be
                    builtin builtin --stream_output maybe       | 'maybe' is one path too many
                    builtin builtin --model-format gptq         | --model-format gptq must be one of
                    builtin builtin --backend turbomind         | --backend turbomind is LMDeploy's engine
                    builtin builtin --backend pytorch           | --backend pytorch is LMDeploy's engine
                    builtin builtin --eager_mode                | --eager-mode has no like here
                    builtin builtin --eager-mode                | --eager-mode has no like here
                    builtin builtin --session-len 4096          | --session-len has no like here
                    builtin builtin --enable-prefix-caching     | --enable-prefix-caching has no like here
                    builtin builtin --num-tokens-per-iter 512   | --num-tokens-per-iter has no like here
                    builtin builtin --communicator nccl         | --communicator has no like here
                    builtin builtin --dtype float16             | --dtype float16 is not computed here
                    builtin builtin --quant-policy 8            | --quant-policy 8 asks for a quantised KV cache
                    builtin builtin --cache-block-seq-len 128   | --cache-block-seq-len 128
                    builtin builtin --cancel-rate 0.1           | --cancel-rate 0.1
                    builtin builtin --dp 2                      | --dp 2
                    builtin builtin --download-dir x            | Unknown option: '--download-dir'
                    builtin builtin --dataset-name random       | --dataset-name random needs --random-input-len
                    builtin builtin --random-input-len 4        | --random-input-len, --random-output-len
                    builtin builtin --sharegpt-output-len 3     | DATASET output:3@builtin must be output:TOKENS
                    builtin builtin --dataset-name random --random-input-len 0 --random-output-len 4 | DATASET random:0/4@builtin must be random:IN/OUT
                    builtin builtin --dataset-name random --random-input-len 5 --random-output-len 4 --random-range-ratio 1.5 | DATASET random:5/4/1.5@builtin must be random:IN/OUT
                    builtin builtin --dataset-name random --random-input-len 5 --random-output-len 4 --random-range-ratio NaN | DATASET random:5/4/NaN@builtin must be random:IN/OUT
                    """)
    void whatIsWrongIsSaidInLmdeploysNamesBeforeAnythingRuns(String args, String message)
            throws Exception {
        var all = new ArrayList<>(List.of("profile-throughput", "--results", folder + "/results"));
        for (String a : args.split(" ")) if (!a.isEmpty()) all.add(a);
        RootCommandTest.Run run = RootCommandTest.execute(all.toArray(String[]::new));
        assertEquals(2, run.status(), run.err());
        assertTrue(run.err().startsWith("ERROR: " + message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(Files.notExists(folder.resolve("results")));
    }

    /** A name with a comma, which JMH's -p would take for two. */
    @Test
    void theCsvFollowsFromTheRecordsAlone() throws Exception {
        Path dataset = folder.resolve("a, b.json");
        Files.writeString(dataset, dialogues());
        Cli cli =
                Cli.run(
                        folder,
                        "profile-throughput",
                        dataset.toString(),
                        "builtin",
                        "-n",
                        "6",
                        "-c",
                        "4",
                        "--engine",
                        "simulated:12ms:7ms",
                        "--top_k",
                        "3",
                        "--warmup",
                        "0");
        assertEquals(0, cli.status(), cli.out() + cli.err());
        assertEquals("", cli.err());
        requireRowOf(folder, "4");
        assertTrue(cli.out().contains("\nconcurrency: 4\nelapsed_time: "), cli.out());
        JsonNode run =
                new ObjectMapper().readTree(Cli.runFolder(folder).resolve("run.json").toFile());
        assertEquals("profile-throughput", run.get("arguments").get(0).asText());
        assertEquals("--top_k", run.get("arguments").get(9).asText());
        assertEquals("3", run.get("combinations").get(0).get("params").get("topK").asText());
        assertTrue(Files.exists(Cli.runFolder(folder).resolve("throughput.csv")));
    }

    @Test
    void itRunsTheBuiltinModelOnTheCpu() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        ("profile-throughput builtin builtin --num-prompts 4 --concurrency 2 --dtype"
                                        + " float32 --engine cpu:1 --sharegpt-output-len 5 --warmup 0"
                                        + " --csv=out.csv")
                                .split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        Files.copy(folder.resolve("out.csv"), folder.resolve("profile_throughput.csv"));
        requireRowOf(folder, "2");
        assertTrue(cli.out().contains("number of completion tokens: 20\n"), cli.out());
    }

    @Test
    void withoutStreamingThereAreNoLatencies() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        ("profile-throughput builtin builtin -n 4 -c 4 --engine simulated:1us:1us"
                                        + " --warmup 0 --stream_output False --dataset-name random"
                                        + " --random-input-len 10 --random-output-len 20"
                                        + " --random-range-ratio 1")
                                .split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        String csv = Files.readString(folder.resolve("profile_throughput.csv"));
        assertTrue(csv.contains(",-,-,-,-,-,-,-,"), csv);
        assertTrue(cli.out().contains("number of prompt tokens: 40\n"), cli.out());
        assertTrue(cli.out().contains("number of completion tokens: 80\n"), cli.out());
    }

    @Test
    void aFailedRequestLeavesNoCsv() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        ("profile-throughput builtin builtin -n 4 --engine simulated:1ms:1ms:fail=1"
                                        + " --warmup 0")
                                .split(" "));
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertTrue(cli.err().contains("no summary and no CSV"), cli.err());
        assertTrue(Files.notExists(folder.resolve("profile_throughput.csv")));
    }

    /** LMDeploy's arithmetic written plainly once more, on the json of the records. */
    private static void requireRowOf(Path folder, String batch) throws Exception {
        Path records = Cli.runFolder(folder).resolve("requests-all-1-1.jsonl");
        Recomputed plain = Recomputed.of(records);
        List<Double> first = new ArrayList<>();
        List<Double> others = new ArrayList<>();
        for (String line : Files.readAllLines(records)) {
            JsonNode r = new ObjectMapper().readTree(line);
            JsonNode steps = r.get("step_s");
            double[] latency = new double[r.get("requested_tokens").asInt() + 1];
            double previous = r.get("submit_s").asDouble();
            int tokens = 0;
            for (int i = 0; i < steps.size(); i++) {
                double now = steps.get(i).asDouble();
                latency[tokens] = Math.rint((now - previous) * 1000) / 1000;
                tokens += r.has("step_tokens") ? r.get("step_tokens").get(i).asInt() : 1;
                previous = now;
            }
            first.add(latency[0]);
            for (int i = 1; i < latency.length; i++) others.add(latency[i]);
        }
        Collections.sort(others);
        String[] row =
                Files.readString(folder.resolve("profile_throughput.csv"))
                        .split("\r\n")[1]
                        .split(",");
        assertEquals(batch, row[0]);
        assertEquals(first.size(), Integer.parseInt(row[1]));
        double[] expected = {
            plain.get("rps"),
            plain.get("rpm"),
            first.stream().mapToDouble(d -> d).average().getAsDouble(),
            Collections.min(first),
            Collections.max(first),
            others.get((int) (0.5 * others.size())),
            others.get((int) (0.75 * others.size())),
            others.get((int) (0.95 * others.size())),
            others.get((int) (0.99 * others.size())),
            plain.get("output_tok_s"),
            plain.get("total_tok_s")
        };
        for (int i = 0; i < expected.length; i++) {
            assertTrue(row[i + 2].matches("[0-9]+\\.[0-9]{3}"), row[i + 2]);
            assertEquals(expected[i], Double.parseDouble(row[i + 2]), 0.00051, "column " + i);
        }
    }

    private static String dialogues() {
        var one =
                "{\"conversations\":[{\"value\":\"how do you do today?\"},{\"value\":\"very well"
                        + " indeed, and thank you\"}]}";
        return "[" + String.join(",", Collections.nCopies(8, one)) + "]";
    }

    private static Map<String, String> parameters(String... args) {
        var command = new ProfileThroughputCommand();
        new CommandLine(command).parseArgs(args);
        return command.parameters();
    }
}
