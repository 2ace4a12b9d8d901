package org.tokenrate.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.tokenrate.lmdeploy.ProfileText;
import org.tokenrate.lmdeploy.ThroughputProfile;
import org.tokenrate.report.JmhJson;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.RequestsFile;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.RequestRecords;
import org.tokenrate.workload.WorkloadResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code profile-throughput}: LMDeploy's {@code benchmark/profile_throughput.py}, by its option
 * names, defaults, summary and CSV, over the request-throughput benchmark.
 */
@Command(
        name = "profile-throughput",
        sortOptions = false,
        preprocessor = LmdeployOptions.class,
        description = {
            "Runs one workload with LMDeploy's options, summary and CSV.",
            "",
            "The options and defaults are those of LMDeploy's benchmark/profile_throughput.py,"
                    + " with dashes or underscores. It is one iteration of RequestThroughput after"
                    + " a warm-up, and leaves the same files in the results folder.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  profile-throughput builtin builtin -n 64 -c 16",
            "  profile-throughput ShareGPT_V3.json models/my-llama --concurrency 64 --csv out.csv",
            "  profile-throughput ShareGPT_V3.json models/my-llama --dataset-name random"
                    + " --random-input-len 512 --random-output-len 128"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:all requests completed and the CSV was written",
            "1:the run or a request failed",
            "2:the arguments are wrong, or a file cannot be read or written"
        })
final class ProfileThroughputCommand implements Callable<Integer> {
    private static final String BENCHMARK = "\\.RequestThroughputBenchmark\\.";

    /** The combination's name when nothing is swept, which names the request files. */
    private static final String COMBINATION = "all";

    /** An iteration is over with its first workload. */
    private static final TimeValue AT_ONCE = TimeValue.nanoseconds(1);

    private static final int KV_BLOCK_TOKENS = 64;

    private enum DatasetKind {
        sharegpt,
        random
    }

    @Spec private CommandSpec spec;

    @Parameters(
            arity = "0..2",
            paramLabel = "DATASET MODEL_PATH",
            hideParamSyntax = true,
            description =
                    "builtin, a ShareGPT json file or a workload of sample --json; then builtin,"
                            + " random:SHAPE or the folder of a model")
    private List<String> paths = new ArrayList<>();

    @Option(
            names = {"--dataset-path", "--dataset"},
            paramLabel = "DATASET",
            description = "instead of the first path")
    private Optional<String> dataset = Optional.empty();

    @Option(
            names = {"--model-path", "--model"},
            paramLabel = "MODEL_PATH",
            description = "instead of the second path")
    private Optional<String> model = Optional.empty();

    @Option(
            names = {"-c", "--concurrency"},
            paramLabel = "N",
            defaultValue = "256",
            description = "requests in flight (${DEFAULT-VALUE})")
    private String concurrency;

    @Option(
            names = {"-n", "--num-prompts"},
            paramLabel = "N",
            defaultValue = "5000",
            description = "requests in all (${DEFAULT-VALUE})")
    private String numPrompts;

    @Option(
            names = "--tp",
            paramLabel = "N",
            defaultValue = "1",
            description = "tensor-parallel ranks (${DEFAULT-VALUE})")
    private String tp;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            defaultValue = "1",
            description = "likeliest tokens to sample from (${DEFAULT-VALUE})")
    private String topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "0.8",
            description = "probability to sample from (${DEFAULT-VALUE})")
    private String topP;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0.8",
            description = "divides the logits (${DEFAULT-VALUE})")
    private String temperature;

    @Option(
            names = "--stream-output",
            paramLabel = "True|False",
            defaultValue = "True",
            description =
                    "hear of tokens as they come (${DEFAULT-VALUE}); --no-stream-output for False")
    private String streamOutput;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            defaultValue = "./profile_throughput.csv",
            description = "where to write the CSV (${DEFAULT-VALUE}); '' for none")
    private String csv;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            defaultValue = "ERROR",
            description = "what the engine logs (${DEFAULT-VALUE})")
    private String logLevel;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "of the prompts' choice and of sampling (${DEFAULT-VALUE})")
    private String seed;

    @Option(
            names = {"--cache-count", "--cache-max-entry-count"},
            paramLabel = "RATIO",
            defaultValue = "0.5",
            description =
                    "of the memory free after loading that holds KV blocks (${DEFAULT-VALUE})")
    private String cacheCount;

    @Option(
            names = "--model-format",
            paramLabel = "hf|llama|awq|None",
            defaultValue = "hf",
            description = "layout of the model's folder (${DEFAULT-VALUE})")
    private String modelFormat;

    @Option(
            names = "--dtype",
            paramLabel = "auto|bfloat16|float32",
            defaultValue = "auto",
            description = "of weights and computation (${DEFAULT-VALUE})")
    private String dtype;

    @Option(
            names = "--dataset-name",
            paramLabel = "sharegpt|random",
            defaultValue = "sharegpt",
            description =
                    "random cuts or repeats the dataset's prompts to drawn lengths"
                            + " (${DEFAULT-VALUE})")
    private DatasetKind datasetName;

    @Option(
            names = "--sharegpt-output-len",
            paramLabel = "N",
            description = "tokens to generate, instead of the real answers' lengths")
    private Optional<Integer> sharegptOutputLen = Optional.empty();

    @Option(
            names = "--random-input-len",
            paramLabel = "N",
            description = "longest prompt of random, in tokens")
    private Optional<Integer> randomInputLen = Optional.empty();

    @Option(
            names = "--random-output-len",
            paramLabel = "N",
            description = "longest answer of random, in tokens")
    private Optional<Integer> randomOutputLen = Optional.empty();

    @Option(
            names = "--random-range-ratio",
            paramLabel = "RATIO",
            description = "shortest / longest of random, from 0 (the default) to 1")
    private Optional<String> randomRangeRatio = Optional.empty();

    @Option(
            names = {"--engine", "--backend"},
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "ours, not LMDeploy's: as -p engine (${DEFAULT-VALUE})")
    private String engine;

    @Option(
            names = "--sampling",
            paramLabel = "shuffle|presample",
            defaultValue = "shuffle",
            description =
                    "ours: choose prompts as LMDeploy does from 0.9.0, or did before"
                            + " (${DEFAULT-VALUE})")
    private String sampling;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "ours: workloads to run before the measured one, for the JVM to compile"
                            + " (${DEFAULT-VALUE})")
    private int warmup;

    @Option(
            names = "--results",
            paramLabel = "DIR",
            defaultValue = "${sys:tokenrate.results:-results}",
            description = "ours: base folder of results (${DEFAULT-VALUE})")
    private Path results;

    @Option(names = "--quant-policy", hidden = true, defaultValue = "0")
    private int quantPolicy;

    @Option(names = "--cache-block-seq-len", hidden = true, defaultValue = "" + KV_BLOCK_TOKENS)
    private int cacheBlockSeqLen;

    @Option(names = "--cancel-rate", hidden = true, defaultValue = "0")
    private double cancelRate;

    @Option(names = "--dp", hidden = true, defaultValue = "1")
    private int dp;

    /** What we always do: prompts are tokens before the clock starts. */
    @Option(names = "--skip-tokenize", hidden = true)
    private boolean skipTokenize;

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        requireKnownValues();
        Map<String, String> parameters = parameters();
        requireWritable();
        ChainedOptionsBuilder jmh =
                new OptionsBuilder()
                        .include(BENCHMARK)
                        .forks(1)
                        .warmupIterations(warmup)
                        .measurementIterations(1)
                        .warmupTime(AT_ONCE)
                        .measurementTime(AT_ONCE);
        parameters.forEach(jmh::param);
        var arguments =
                new Arguments(
                        spec.root().commandLine().getParseResult().originalArgs(),
                        List.of(),
                        results,
                        Set.of(),
                        Optional.empty());
        var run = new RunCommand(arguments, jmh.build(), LmdeployStyle.INSTANCE, (r, swept) -> "");
        RunCommand.Ended ended = run.run();
        if (ended.status() != Main.OK) {
            System.err.println("no summary and no CSV: LMDeploy has none for a run that failed");
            return ended.status();
        }
        if (JmhJson.read(ended.folder().resolve(RunFiles.JMH)).stream()
                .anyMatch(JmhResult::isOfSoftwareGpu)) {
            System.err.println(
                    "no summary and no CSV: the software GPU's times are a CPU's, and LMDeploy's CSV"
                            + " has no column that would say so");
            return Main.FAILED;
        }
        conclude(
                ended.folder(),
                Integer.parseInt(parameters.get("concurrency")),
                Integer.parseInt(parameters.get("numPrompts")));
        return Main.OK;
    }

    private void conclude(Path folder, int concurrency, int count) throws IOException {
        List<RequestRecord> records =
                RequestRecords.read(folder.resolve(RequestsFile.name(COMBINATION, 1, 1)));
        // JMH repeats a workload that takes less than the iteration's time; LMDeploy runs it once.
        var once = WorkloadResult.of(isTrue(streamOutput), records.subList(0, count));
        var profile = ThroughputProfile.of(once, concurrency);
        System.out.println();
        System.out.println(ProfileText.summary(profile));
        if (csv.isEmpty()) return;
        Files.writeString(Path.of(csv), ProfileText.csv(profile), StandardCharsets.US_ASCII);
        System.out.println("wrote " + csv);
    }

    /** By the benchmark's names. */
    Map<String, String> parameters() {
        var left = new ArrayList<>(paths);
        String data = take("DATASET", dataset, left);
        String folder = take("MODEL_PATH", model, left);
        if (!left.isEmpty()) {
            throw wrong("'%s' is one path too many".formatted(left.get(0)));
        }
        var p = new LinkedHashMap<String, String>();
        p.put("engine", engine);
        p.put("model", folder);
        p.put("modelFormat", modelFormat.equals("None") ? "auto" : modelFormat);
        p.put("dataset", lengths() + data);
        p.put("numPrompts", numPrompts);
        p.put("concurrency", concurrency);
        p.put("tp", tp);
        p.put("topK", topK);
        p.put("topP", topP);
        p.put("temperature", temperature);
        p.put("streamOutput", streamOutput.toLowerCase(Locale.ROOT));
        p.put("seed", seed);
        p.put("cacheCount", cacheCount);
        p.put("logLevel", level());
        p.put("dtype", type());
        p.put("sampling", sampling);
        return p;
    }

    private String take(String what, Optional<String> option, List<String> left) {
        if (option.isPresent()) return option.get();
        if (left.isEmpty()) {
            throw wrong(
                    what
                            + " is missing; give DATASET and MODEL_PATH, e.g. profile-throughput"
                            + " builtin builtin");
        }
        return left.remove(0);
    }

    /** What stands before the source in {@code -p dataset}. */
    private String lengths() {
        boolean lengths =
                randomInputLen.isPresent()
                        || randomOutputLen.isPresent()
                        || randomRangeRatio.isPresent();
        if (datasetName == DatasetKind.sharegpt) {
            if (lengths) {
                throw wrong(
                        "--random-input-len, --random-output-len and --random-range-ratio are for"
                                + " --dataset-name random");
            }
            return sharegptOutputLen.isPresent() ? "output:" + sharegptOutputLen.get() + "@" : "";
        }
        if (sharegptOutputLen.isPresent()) {
            throw wrong("--sharegpt-output-len is not for --dataset-name random");
        }
        if (randomInputLen.isEmpty() || randomOutputLen.isEmpty()) {
            throw wrong(
                    "--dataset-name random needs --random-input-len and --random-output-len, e.g."
                            + " 512 and 128");
        }
        return "random:%d/%d%s@"
                .formatted(
                        randomInputLen.get(),
                        randomOutputLen.get(),
                        randomRangeRatio.map(r -> "/" + r).orElse(""));
    }

    /** Python's names for what we log. */
    private String level() {
        String upper = logLevel.toUpperCase(Locale.ROOT);
        return switch (upper) {
            case "CRITICAL", "FATAL" -> "ERROR";
            case "WARNING" -> "WARN";
            case "NOTSET" -> "TRACE";
            default -> upper;
        };
    }

    private String type() {
        return switch (dtype) {
            case "bfloat16" -> "bf16";
            case "float32" -> "f32";
            case "float16" ->
                    throw wrong(
                            "--dtype float16 is not computed here; give auto, bfloat16 or float32");
            default -> dtype;
        };
    }

    private void requireKnownValues() {
        if (engine.equals("turbomind") || engine.equals("pytorch")) {
            throw wrong(
                    "--backend %s is LMDeploy's engine; leave it out, or give one of tokenrate's, e.g. --engine cpu"
                            .formatted(engine));
        }
        if (quantPolicy != 0) {
            throw wrong(
                    "--quant-policy %d asks for a quantised KV cache; there is none, leave it out"
                            .formatted(quantPolicy));
        }
        if (cacheBlockSeqLen != KV_BLOCK_TOKENS) {
            throw wrong(
                    "--cache-block-seq-len %d: KV blocks have %d tokens; leave it out"
                            .formatted(cacheBlockSeqLen, KV_BLOCK_TOKENS));
        }
        if (cancelRate != 0) {
            throw wrong(
                    "--cancel-rate %s: no request is cancelled; leave it out"
                            .formatted(cancelRate));
        }
        if (dp != 1) {
            throw wrong("--dp %d: there is no data parallelism; use --tp".formatted(dp));
        }
        if (warmup < 0 || warmup > 1000) {
            throw wrong("--warmup %d must be from 0 to 1000, e.g. --warmup 1".formatted(warmup));
        }
    }

    /** Before the run, which may take hours. */
    private void requireWritable() {
        if (csv.isEmpty()) return;
        Path file = Path.of(csv);
        Path parent = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file) || !Files.isWritable(parent)) {
            throw wrong(
                    "--csv %s cannot be written; give a file in a folder that is there, e.g. --csv profile_throughput.csv"
                            .formatted(csv));
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw wrong("--csv %s is there and may not be written over".formatted(csv));
        }
    }

    private static boolean isTrue(String text) {
        return text.equalsIgnoreCase("true");
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
