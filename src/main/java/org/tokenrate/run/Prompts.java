package org.tokenrate.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.dataset.DatasetName;
import org.tokenrate.dataset.PromptSampler;
import org.tokenrate.dataset.RequestLengths;
import org.tokenrate.dataset.Sampled;
import org.tokenrate.dataset.SampledPrompt;
import org.tokenrate.dataset.SamplingMethod;
import org.tokenrate.dataset.ShareGptDataset;
import org.tokenrate.dataset.WorkloadFile;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;

/**
 * The prompts that {@code -p dataset}, {@code sampling}, {@code numPrompts} and {@code seed} come
 * to: sampled from dialogues, or as a workload file has them.
 *
 * @param sampled the prompts, and of dialogues what was left out
 * @param dialogues what there was to choose from; empty if a workload file was read
 * @param origin what a workload file of these prompts would say
 * @param datasetSha256 of the file that was read
 */
public record Prompts(
        Sampled sampled,
        Optional<Dialogues> dialogues,
        WorkloadFile.Origin origin,
        String datasetSha256) {
    /** What the benchmark takes unless told otherwise. */
    private static final int DEFAULT_COUNT = 5000;

    /**
     * @param conversations in the file
     * @param usable those of at least two turns
     */
    public record Dialogues(int conversations, int usable) {}

    /**
     * @param dataset as {@code -p dataset} has it
     * @param sampling method; empty: the one that a workload file names, else {@code shuffle}
     * @param numPrompts how many; empty: all of a workload file, else 5,000
     * @param tokenizerFolder that {@code tokenizer} was read from
     * @param ids what becomes of a workload's token ids that another tokenizer made
     * @throws IllegalArgumentException if there are fewer than that, or a workload file was sampled
     *     by another method
     * @throws IOException if the dataset cannot be read; one sentence
     */
    public static Prompts choose(
            String dataset,
            Optional<String> sampling,
            OptionalInt numPrompts,
            long seed,
            Tokenizer tokenizer,
            Path tokenizerFolder,
            WorkloadFile.Ids ids)
            throws IOException {
        DatasetName name = DatasetName.parse(dataset);
        boolean builtin = name.source().equals(DatasetName.BUILTIN);
        Path file = builtin ? Builtin.dialogues() : Path.of(name.source());
        String tokenizerSha256 = Tokenizers.sha256(tokenizerFolder);
        if (!builtin && !Files.isDirectory(file) && WorkloadFile.isOne(file)) {
            if (!name.lengths().equals(RequestLengths.OWN)) {
                throw new IllegalArgumentException(
                        "dataset=%s: %s is a workload, whose requests have lengths of their own; give dataset=%s"
                                .formatted(dataset, file, file));
            }
            int most = numPrompts.orElse(Integer.MAX_VALUE);
            WorkloadFile w = WorkloadFile.read(file, most, tokenizer, tokenizerSha256, ids);
            requireEnough(w.prompts().size(), numPrompts, file);
            requireMethod(w.origin().sampling(), sampling, file);
            return new Prompts(
                    new Sampled(w.prompts(), w.prompts().size(), Map.of()),
                    Optional.empty(),
                    w.origin(),
                    ShareGptDataset.sha256(file));
        }
        SamplingMethod method =
                SamplingMethod.of(sampling.orElse(SamplingMethod.SHUFFLE.toString()));
        try (var dialogues = ShareGptDataset.open(file)) {
            Sampled sampled =
                    PromptSampler.sample(
                            dialogues,
                            tokenizer,
                            method,
                            name.lengths(),
                            numPrompts.orElse(DEFAULT_COUNT),
                            seed);
            String sha256 = ShareGptDataset.sha256(file);
            return new Prompts(
                    sampled,
                    Optional.of(new Dialogues(dialogues.conversations(), dialogues.size())),
                    new WorkloadFile.Origin(
                            withoutFolders(dataset, name.source(), file),
                            sha256,
                            method.toString(),
                            seed,
                            tokenizerSha256),
                    sha256);
        }
    }

    public List<SampledPrompt> list() {
        return sampled.prompts();
    }

    /** See {@link WorkloadFile#sha256}. */
    public String workloadSha256() {
        return WorkloadFile.sha256(list());
    }

    private static String withoutFolders(String dataset, String source, Path file) {
        return source.equals(DatasetName.BUILTIN)
                ? dataset
                : dataset.substring(0, dataset.length() - source.length()) + file.getFileName();
    }

    private static void requireEnough(int there, OptionalInt wanted, Path file) {
        if (wanted.isPresent() && wanted.getAsInt() > there) {
            throw new IllegalArgumentException(
                    "numPrompts=%d is more than the %d requests of %s; ask for at most %d"
                            .formatted(wanted.getAsInt(), there, file, there));
        }
    }

    private static void requireMethod(String was, Optional<String> wanted, Path file) {
        if (wanted.isPresent() && !was.isEmpty() && !was.equals(wanted.get())) {
            throw new IllegalArgumentException(
                    "sampling=%s, but %s was sampled by %s; give sampling=%s"
                            .formatted(wanted.get(), file, was, was));
        }
    }
}
