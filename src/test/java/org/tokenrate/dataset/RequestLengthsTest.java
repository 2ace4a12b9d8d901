package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestLengthsTest {
    @TempDir Path folder;

    private final SpaceTokenizer tokenizer = new SpaceTokenizer();

    @Test
    void aFixedOutputDropsByThePromptAlone() throws IOException {
        try (var dialogues = dialogues(words(3), words(4), words(1024), words(1025))) {
            Sampled s = sample(dialogues, new RequestLengths.FixedOutput(5000), 2);
            assertEquals(
                    List.of(4, 1024),
                    s.prompts().stream().map(p -> p.promptTokens().length).sorted().toList());
            assertTrue(s.prompts().stream().allMatch(p -> p.answerTokens() == 5000));
        }
    }

    /** The answers of these dialogues are of two words, which is too short for a dialogue's own. */
    @Test
    void whatIsLeftOutIsCountedByReason() throws IOException {
        String[] prompts = {words(3), words(4), words(1025), words(1), words(9)};
        try (var dialogues = dialogues(prompts)) {
            Sampled s = sample(dialogues, new RequestLengths.FixedOutput(4), 2);
            int dropped = s.dropped().values().stream().mapToInt(i -> i).sum();
            assertEquals(s.drawn(), 2 + dropped);
            var e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> sample(dialogues, new RequestLengths.FixedOutput(4), 3));
            assertTrue(e.getMessage().contains("the 2 usable dialogues"), e.getMessage());
        }
    }

    @Test
    void anOwnAnswerThatIsTooShortOrTooLongIsCounted() throws IOException {
        Path file = folder.resolve("own.json");
        Files.writeString(
                file,
                "[%s,%s,%s]"
                        .formatted(
                                dialogue(words(4), words(3)),
                                dialogue(words(1000), words(1049)),
                                dialogue(words(5), words(6))));
        try (var dialogues = ShareGptDataset.open(file)) {
            // A seed under which the usable one comes last.
            for (long seed = 0; ; seed++) {
                Sampled s =
                        PromptSampler.sample(
                                dialogues,
                                tokenizer,
                                SamplingMethod.SHUFFLE,
                                RequestLengths.OWN,
                                1,
                                seed);
                if (s.drawn() < 3) continue;
                assertEquals(Map.of(Drop.SHORT_ANSWER, 1, Drop.LONG_TOGETHER, 1), s.dropped());
                break;
            }
        }
    }

    @Test
    void drawnLengthsStayInTheirRangeAndReachBothEnds() throws IOException {
        var prompts = new ArrayList<String>();
        for (int i = 0; i < 500; i++) prompts.add(words(1 + i % 40));
        try (var dialogues = dialogues(prompts.toArray(String[]::new))) {
            Sampled s = sample(dialogues, new RequestLengths.Drawn(20, 9, 0.5), 500);
            var inputs = new TreeSet<Integer>();
            var outputs = new TreeSet<Integer>();
            for (SampledPrompt p : s.prompts()) {
                inputs.add(p.promptTokens().length);
                outputs.add(p.answerTokens());
            }
            assertEquals(List.of(10, 20), List.of(inputs.first(), inputs.last()));
            assertEquals(11, inputs.size());
            assertEquals(List.of(4, 9), List.of(outputs.first(), outputs.last()));
            assertEquals(6, outputs.size());
        }
    }

    /** The choice is LMDeploy's: those with text, shuffled; each repeated or cut. */
    @Test
    void drawnPromptsAreTheShuffledDialoguesRepeatedOrCut() throws IOException {
        String[] prompts = {words(3), "", words(30), words(7), "", words(1)};
        var order = new ArrayList<>(List.of(0, 2, 3, 5));
        new PythonRandom(7).shuffle(order);
        try (var dialogues = dialogues(prompts)) {
            Sampled s =
                    PromptSampler.sample(
                            dialogues,
                            tokenizer,
                            SamplingMethod.PRESAMPLE,
                            new RequestLengths.Drawn(10, 5, 1),
                            4,
                            7);
            assertEquals(order, s.prompts().stream().map(SampledPrompt::datasetIndex).toList());
            assertEquals(Map.of(Drop.NO_PROMPT, 2), s.dropped());
            assertEquals(6, s.drawn());
            for (SampledPrompt p : s.prompts()) {
                int[] own = tokenizer.encode(prompts[p.datasetIndex()]);
                int[] expected = new int[10];
                for (int i = 0; i < 10; i++) expected[i] = own[i % own.length];
                assertArrayEquals(expected, p.promptTokens());
                assertEquals(5, p.answerTokens());
                assertEquals(tokenizer.decode(expected), p.prompt());
            }
        }
    }

    private Sampled sample(ShareGptDataset dialogues, RequestLengths lengths, int count)
            throws IOException {
        return PromptSampler.sample(
                dialogues, tokenizer, SamplingMethod.SHUFFLE, lengths, count, 0);
    }

    private ShareGptDataset dialogues(String... prompts) throws IOException {
        var all = new ArrayList<String>();
        for (String p : prompts) all.add(dialogue(p, words(2)));
        Path file = folder.resolve("dialogues.json");
        return ShareGptDataset.open(Files.writeString(file, "[" + String.join(",", all) + "]"));
    }

    private static String dialogue(String prompt, String answer) {
        return "{\"conversations\":[{\"value\":\"%s\"},{\"value\":\"%s\"}]}"
                .formatted(prompt, answer);
    }

    private static String words(int count) {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) text.append(i == 0 ? "" : " ").append("w").append(i);
        return text.toString();
    }
}
