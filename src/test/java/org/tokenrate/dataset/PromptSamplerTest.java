package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.bench.GeneratedShareGpt;

/**
 * Against LMDeploy's rules written again in Python; {@code src/test/python/lmdeploy_sampling.py}
 * makes the expected values.
 */
class PromptSamplerTest {
    @TempDir static Path folder;
    static ShareGptDataset dataset;
    static JsonNode expected;

    private final SpaceTokenizer tokenizer = new SpaceTokenizer();

    @BeforeAll
    static void generate() throws IOException {
        Path file = folder.resolve("dialogues.json");
        GeneratedShareGpt.write(file, 12 << 20, 1);
        dataset = ShareGptDataset.open(file);
        expected =
                new ObjectMapper()
                        .readTree(PromptSamplerTest.class.getResource("lmdeploy-sampling.json"));
    }

    @AfterAll
    static void close() throws IOException {
        dataset.close();
    }

    @Test
    void thePromptsAreLmdeploysInTheSameOrder() throws IOException {
        assertEquals(expected.get("sha256").textValue(), dataset.sha256(), "another file");
        assertEquals(expected.get("size").intValue(), dataset.size());
        assertEquals(24, expected.get("runs").size());
        for (JsonNode run : expected.get("runs")) {
            List<SampledPrompt> sampled =
                    PromptSampler.sample(
                            dataset,
                            tokenizer,
                            SamplingMethod.of(run.get("sampling").textValue()),
                            run.get("numPrompts").intValue(),
                            run.get("seed").longValue());
            String name = run.get("sampling") + " seed " + run.get("seed");
            assertEquals(
                    StreamSupport.stream(run.get("indices").spliterator(), false)
                            .map(JsonNode::intValue)
                            .toList(),
                    sampled.stream().map(SampledPrompt::datasetIndex).toList(),
                    name);
            assertEquals(
                    run.get("promptTokens").intValue(),
                    sampled.stream().mapToInt(p -> p.promptTokens().length).sum(),
                    name);
            assertEquals(
                    run.get("answerTokens").intValue(),
                    sampled.stream().mapToInt(SampledPrompt::answerTokens).sum(),
                    name);
        }
    }

    @Test
    void aSampledPromptCarriesItsOwnTextAndTokens() throws IOException {
        for (SampledPrompt p : sample(50)) {
            Dialogue dialogue = dataset.dialogue(p.datasetIndex());
            assertEquals(dialogue.prompt(), p.prompt());
            assertArrayEquals(tokenizer.encode(dialogue.prompt()), p.promptTokens());
            assertEquals(tokenizer.encode(dialogue.answer()).length, p.answerTokens());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3, 100, false",
        "4, 100, true",
        "100, 3, false",
        "100, 4, true",
        "1024, 1024, true",
        "1025, 10, false",
        "1024, 1025, false",
        "4, 2044, true",
        "4, 2045, false"
    })
    void theLimitsAreLmdeploys(int promptTokens, int answerTokens, boolean usable)
            throws IOException {
        try (var one = dialogues(List.of(words(promptTokens)), List.of(words(answerTokens)))) {
            if (usable) {
                assertEquals(
                        1,
                        PromptSampler.sample(one, tokenizer, SamplingMethod.SHUFFLE, 1, 0).size());
            } else {
                var e =
                        assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        PromptSampler.sample(
                                                one, tokenizer, SamplingMethod.SHUFFLE, 1, 0));
                assertTrue(e.getMessage().contains("numPrompts=1"), e.getMessage());
                assertTrue(e.getMessage().contains("0 usable"), e.getMessage());
            }
        }
    }

    @Test
    void nothingIsTokenizedThatTheChoiceDoesNotDependOn() throws IOException {
        int numPrompts = 700;
        List<SampledPrompt> sampled = sample(numPrompts);
        List<Integer> order = new ArrayList<>(IntStream.range(0, dataset.size()).boxed().toList());
        new PythonRandom(0).shuffle(order);
        int walked = order.indexOf(sampled.get(numPrompts - 1).datasetIndex()) + 1;
        assertTrue(walked > numPrompts, "some were dropped");
        long calls = tokenizer.calls.get();
        assertTrue(calls > 2 * numPrompts && calls <= 2 * walked, calls + " of " + 2 * walked);
    }

    @Test
    void theNumberOfCoresDoesNotMatter() throws Exception {
        List<Integer> alone = onCores(1);
        assertEquals(alone, onCores(7));
        assertEquals(300, alone.size());
    }

    private List<Integer> onCores(int cores) throws Exception {
        var pool = new ForkJoinPool(cores);
        try {
            return pool.submit(() -> sample(300).stream().map(SampledPrompt::datasetIndex).toList())
                    .get();
        } finally {
            pool.shutdown();
        }
    }

    @Test
    void tooFewUsableDialoguesAreCounted() {
        int usable = expected.get("usable").intValue();
        assertMessage(
                SamplingMethod.SHUFFLE,
                usable + 1,
                "numPrompts=" + (usable + 1) + " is more than the " + usable + " usable");
        assertMessage(
                SamplingMethod.SHUFFLE, Integer.MAX_VALUE, "numPrompts=2147483647", "the 1855 ");
    }

    @Test
    void tooFewUsableDialoguesAmongThePresampledAreCounted() throws IOException {
        List<String> prompts = IntStream.range(0, 1100).mapToObj(i -> words(i % 4 + 1)).toList();
        try (var mostlyShort = dialogues(prompts, prompts)) {
            var e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () ->
                                    PromptSampler.sample(
                                            mostlyShort,
                                            tokenizer,
                                            SamplingMethod.PRESAMPLE,
                                            400,
                                            0));
            assertTrue(
                    e.getMessage()
                            .matches("numPrompts=400 .* the 2\\d\\d usable .* the 1000 drawn .*"),
                    e.getMessage());
        }
    }

    @Test
    void presamplingMoreThanThereAreIsRefusedWithBothNumbers() {
        assertMessage(SamplingMethod.PRESAMPLE, 1600, "draws 1920", "the 1855 in");
    }

    @Test
    void numPromptsMustBePositive() {
        assertMessage(SamplingMethod.SHUFFLE, 0, "numPrompts=0 must be at least 1");
        assertMessage(SamplingMethod.SHUFFLE, -7, "numPrompts=-7 must be at least 1");
    }

    @Test
    void anUnknownSamplingMethodIsRefusedWithTheKnownOnes() {
        var e = assertThrows(IllegalArgumentException.class, () -> SamplingMethod.of("random"));
        assertTrue(
                e.getMessage().contains("sampling=random") && e.getMessage().contains("presample"),
                e.getMessage());
    }

    private void assertMessage(SamplingMethod method, int numPrompts, String... parts) {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        PromptSampler.sample(
                                                dataset, tokenizer, method, numPrompts, 0))
                        .getMessage();
        for (String part : parts) assertTrue(message.contains(part), message);
    }

    private List<SampledPrompt> sample(int numPrompts) throws IOException {
        return PromptSampler.sample(dataset, tokenizer, SamplingMethod.SHUFFLE, numPrompts, 0);
    }

    private static String words(int count) {
        return "w ".repeat(count);
    }

    private static ShareGptDataset dialogues(List<String> prompts, List<String> answers)
            throws IOException {
        var json = new StringBuilder("[");
        for (int i = 0; i < prompts.size(); i++) {
            json.append(i == 0 ? "" : ",")
                    .append("{\"conversations\":[{\"value\":\"")
                    .append(prompts.get(i))
                    .append("\"},{\"value\":\"")
                    .append(answers.get(i))
                    .append("\"}]}");
        }
        return ShareGptDataset.open(
                Files.writeString(Files.createTempFile(folder, "d", ".json"), json + "]"));
    }
}
