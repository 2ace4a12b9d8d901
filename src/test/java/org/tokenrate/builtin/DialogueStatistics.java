package org.tokenrate.builtin;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What a ShareGPT file holds once LMDeploy's filter has passed over it: prompts and answers of at
 * least 4 tokens, prompts of at most 1,024, and at most 2,048 together. Lengths count the
 * begin-of-text token, as LMDeploy does.
 *
 * <pre>mvn -q test-compile exec:java -Dexec.classpathScope=test \
 *     -Dexec.mainClass=org.tokenrate.builtin.DialogueStatistics</pre>
 */
public record DialogueStatistics(
        int dialogues, int singleTurn, int tooShort, int tooLong, int[] prompts, int[] answers) {

    static DialogueStatistics of(Path dialogues, Path modelFolder) throws IOException {
        JsonNode all = new ObjectMapper().readTree(dialogues.toFile());
        var prompts = new ArrayList<Integer>();
        var answers = new ArrayList<Integer>();
        int singleTurn = 0;
        int tooShort = 0;
        int tooLong = 0;
        try (var tokenizer = tokenizer(modelFolder)) {
            for (JsonNode dialogue : all) {
                JsonNode turns = dialogue.get("conversations");
                if (turns.size() < 2) {
                    singleTurn++;
                    continue;
                }
                int prompt = tokenizer.encode(turns.get(0).get("value").asText()).getIds().length;
                int answer = tokenizer.encode(turns.get(1).get("value").asText()).getIds().length;
                if (prompt < 4 || answer < 4) {
                    tooShort++;
                } else if (prompt > 1_024 || prompt + answer > 2_048) {
                    tooLong++;
                } else {
                    prompts.add(prompt);
                    answers.add(answer);
                }
            }
        }
        return new DialogueStatistics(
                all.size(), singleTurn, tooShort, tooLong, sorted(prompts), sorted(answers));
    }

    /** The model's tokenizer without the library's default limit of 512 tokens. */
    static HuggingFaceTokenizer tokenizer(Path modelFolder) throws IOException {
        System.setProperty("ai.djl.offline", "true");
        return HuggingFaceTokenizer.builder()
                .optTokenizerPath(modelFolder)
                .optTruncation(false)
                .build();
    }

    private static int[] sorted(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).sorted().toArray();
    }

    int usable() {
        return prompts.length;
    }

    static double mean(int[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** The smallest of the sorted values that is not below the given share of them. */
    static int quantile(int[] sorted, double share) {
        return sorted[(int) Math.ceil(share * sorted.length) - 1];
    }

    @Override
    public String toString() {
        return "%d dialogues: %d usable, %d of a single turn, %d too short, %d too long%n%s%n%s"
                .formatted(
                        dialogues,
                        usable(),
                        singleTurn,
                        tooShort,
                        tooLong,
                        summary("prompt", prompts),
                        summary("answer", answers));
    }

    private static String summary(String name, int[] tokens) {
        return String.format(
                Locale.ROOT,
                "%s tokens: mean %.1f, median %d, p95 %d, largest %d",
                name,
                mean(tokens),
                quantile(tokens, 0.5),
                quantile(tokens, 0.95),
                quantile(tokens, 1));
    }

    public static void main(String[] args) throws IOException {
        System.out.println(of(Builtin.dialogues(), Builtin.tokenizerFolder()));
    }
}
