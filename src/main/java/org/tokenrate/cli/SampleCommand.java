package org.tokenrate.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import org.tokenrate.dataset.Drop;
import org.tokenrate.dataset.SampledPrompt;
import org.tokenrate.dataset.SamplingMethod;
import org.tokenrate.dataset.WorkloadFile;
import org.tokenrate.model.ModelSource;
import org.tokenrate.run.Prompts;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sample}: the requests that a dataset, a tokenizer and a seed come to. */
@Command(
        name = "sample",
        sortOptions = false,
        description = {
            "Shows what a dataset and a seed give, and writes it as a workload.",
            "",
            "The requests are those of RequestThroughput with the same parameters. The file of"
                    + " --json can be run again with -p dataset=FILE, and by other engines: it has"
                    + " the texts, their tokens and how many tokens to generate. A workload can be"
                    + " sampled too, to make its tokens anew for another model.",
            ""
        },
        footer = {
            "",
            "Examples",
            "  sample -n 64",
            "  sample ShareGPT_V3.json --model models/my-llama -n 1000 --seed 7 --json workload.json",
            "  sample random:512/128 -n 100",
            "  sample workload.json --model models/other --json other.json"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:the sample was shown, and written if it was to be",
            "2:the arguments are wrong, or a file cannot be read or written"
        })
final class SampleCommand implements Callable<Integer> {
    private static final int MOST_PROMPTS = 10_000_000;
    private static final int MOST_SHOWN = 1000;

    @Spec private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            defaultValue = "builtin",
            paramLabel = "DATASET",
            description =
                    "builtin, a ShareGPT json file, a workload, or output:… or random:… as -p"
                            + " dataset has it (${DEFAULT-VALUE})")
    private String dataset;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            defaultValue = ModelSource.BUILTIN,
            description =
                    "whose tokenizer counts: builtin, random:SHAPE or a folder (${DEFAULT-VALUE})")
    private String model;

    @Option(
            names = {"-n", "--num-prompts"},
            paramLabel = "N",
            description = "how many (5000; of a workload all)")
    private Optional<Integer> numPrompts = Optional.empty();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "of the choice (${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--sampling",
            paramLabel = "shuffle|presample",
            description = "LMDeploy's way from 0.9.0, or before (shuffle)")
    private Optional<SamplingMethod> sampling = Optional.empty();

    @Option(
            names = "--show",
            paramLabel = "N",
            defaultValue = "5",
            description = "first prompts to show (${DEFAULT-VALUE})")
    private int show;

    @Option(names = "--json", paramLabel = "FILE", description = "write the workload")
    private Optional<Path> json = Optional.empty();

    @Mixin private HelpOption help;

    @Override
    public Integer call() throws IOException {
        requireRange("--num-prompts", numPrompts.orElse(1), 1, MOST_PROMPTS);
        requireRange("--show", show, 0, MOST_SHOWN);
        requireWritable();
        Path folder = ModelSource.tokenizerFolder(model);
        Prompts prompts;
        try (Tokenizer tokenizer = Tokenizers.load(folder)) {
            prompts =
                    Prompts.choose(
                            dataset,
                            sampling.map(SamplingMethod::toString),
                            numPrompts.map(OptionalInt::of).orElse(OptionalInt.empty()),
                            seed,
                            tokenizer,
                            folder,
                            WorkloadFile.Ids.MADE_ANEW);
        }
        PrintWriter out = spec.commandLine().getOut();
        print(prompts, out, new TerminalText(terminalCharset()));
        if (json.isPresent()) {
            new WorkloadFile(prompts.origin(), prompts.list()).write(json.get());
            out.println("\nwrote " + json.get());
        }
        out.flush();
        return Main.OK;
    }

    private void print(Prompts prompts, PrintWriter out, TerminalText text) {
        WorkloadFile.Origin origin = prompts.origin();
        out.printf("dataset    %s%n  sha256   %s%n", dataset, prompts.datasetSha256());
        if (prompts.dialogues().isEmpty()) {
            out.printf(
                    "  of       %s, %s, seed %d%n",
                    text.visible(orUnknown(origin.dataset()), 30),
                    text.visible(orUnknown(origin.sampling()), 12),
                    origin.seed());
        } else {
            out.printf("sampling   %s, seed %d%n", origin.sampling(), origin.seed());
        }
        out.printf("tokenizer  of %s%n  sha256   %s%n", model, origin.tokenizerSha256());
        out.printf("workload%n  sha256   %s%n%n", prompts.workloadSha256());
        printCounts(prompts, out);
        out.println();
        out.println(LengthStatistics.HEADING);
        for (var lengths : lengths(prompts).entrySet()) {
            out.println(LengthStatistics.of(lengths.getValue()).row(lengths.getKey()));
        }
        for (var lengths : lengths(prompts).entrySet()) {
            out.printf("%n%s tokens%n%s", lengths.getKey(), text.histogram(lengths.getValue()));
        }
        printFirst(prompts.list(), out, text);
    }

    private static void printCounts(Prompts prompts, PrintWriter out) {
        prompts.dialogues()
                .ifPresent(
                        d -> {
                            count(out, d.conversations(), "conversations in the file");
                            count(
                                    out,
                                    d.conversations() - d.usable(),
                                    "of them with fewer than two turns");
                            count(out, prompts.sampled().drawn(), "dialogues drawn");
                        });
        int left = prompts.sampled().drawn() - prompts.list().size();
        for (Map.Entry<Drop, Integer> e : new TreeMap<>(prompts.sampled().dropped()).entrySet()) {
            count(out, e.getValue(), "dropped: " + e.getKey().reason());
            left -= e.getValue();
        }
        if (left > 0) count(out, left, "usable, but not chosen");
        count(out, prompts.list().size(), "requests");
    }

    private static void count(PrintWriter out, int count, String what) {
        out.printf(Locale.ROOT, "%,11d  %s%n", count, what);
    }

    private void printFirst(List<SampledPrompt> prompts, PrintWriter out, TerminalText text) {
        int count = Math.min(show, prompts.size());
        if (count == 0) return;
        out.printf("%nthe first %d%n", count);
        for (int i = 0; i < count; i++) {
            SampledPrompt p = prompts.get(i);
            String head =
                    String.format(
                            Locale.ROOT, "%6d +%5d  ", p.promptTokens().length, p.answerTokens());
            out.println(head + text.visible(p.prompt(), TerminalText.COLUMNS - head.length()));
        }
    }

    private static Map<String, int[]> lengths(Prompts prompts) {
        var lengths = new LinkedHashMap<String, int[]>();
        lengths.put("prompt", of(prompts, p -> p.promptTokens().length));
        lengths.put("answer", of(prompts, SampledPrompt::answerTokens));
        return lengths;
    }

    private static int[] of(Prompts prompts, ToIntFunction<SampledPrompt> length) {
        return prompts.list().stream().mapToInt(length).toArray();
    }

    private static String orUnknown(String text) {
        return text.isEmpty() ? "unknown" : text;
    }

    private static void requireRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "%s %d must be from %d to %d".formatted(name, value, least, most));
        }
    }

    private void requireWritable() {
        if (json.isEmpty()) return;
        Path file = json.get();
        Path parent = file.toAbsolutePath().getParent();
        if (file.toString().isEmpty() || Files.isDirectory(file) || !Files.isWritable(parent)) {
            throw new IllegalArgumentException(
                    "--json %s cannot be written; give a file in a folder that is there"
                            .formatted(file));
        }
    }

    /** What the terminal can show, where Java knows it. */
    private static Charset terminalCharset() {
        for (String property : List.of("stdout.encoding", "sun.stdout.encoding")) {
            String name = System.getProperty(property, "");
            if (!name.isEmpty() && Charset.isSupported(name)) return Charset.forName(name);
        }
        return Charset.defaultCharset();
    }
}
