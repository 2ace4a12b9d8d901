package org.tokenrate.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DialoguesTest {
    @TempDir static Path cache;

    private static Path file;
    private static JsonNode dialogues;

    @BeforeAll
    static void generate() throws IOException {
        file = Builtin.dialogues(cache);
        dialogues = new ObjectMapper().readTree(file.toFile());
    }

    @Test
    void theFileHasShareGptsShape() {
        assertEquals(DialogueGenerator.DIALOGUES, dialogues.size());
        var ids = new HashSet<String>();
        for (JsonNode dialogue : dialogues) {
            assertTrue(ids.add(dialogue.get("id").asText()), "an id comes twice");
            String expected = "human";
            for (JsonNode message : dialogue.get("conversations")) {
                assertEquals(expected, message.get("from").asText());
                assertFalse(message.get("value").asText().isBlank(), dialogue.toString());
                expected = expected.equals("human") ? "gpt" : "human";
            }
        }
    }

    @Test
    void lengthsAreDistributedLikeShareGpts() throws IOException {
        var statistics = DialogueStatistics.of(file, Builtin.tokenizerFolder(cache));
        assertTrue(statistics.usable() >= 5_300, statistics.toString());
        assertEquals(160, DialogueStatistics.mean(statistics.prompts()), 16, statistics.toString());
        assertEquals(340, DialogueStatistics.mean(statistics.answers()), 34, statistics.toString());
        int median = DialogueStatistics.quantile(statistics.prompts(), 0.5);
        assertTrue(median < 50, "prompts are mostly short: " + statistics);
        assertTrue(statistics.singleTurn() >= 30, statistics.toString());
        assertTrue(statistics.tooShort() >= 30, statistics.toString());
        assertTrue(statistics.tooLong() >= 60, statistics.toString());
    }

    @Test
    void noPlaceholderOfThePhraseBankIsLeft() throws IOException {
        var rules = PhraseBank.load().rules();
        var placeholder = Pattern.compile("\\{([A-Za-z-]+)}");
        for (JsonNode text : dialogues.findValues("value")) {
            var matcher = placeholder.matcher(text.asText());
            while (matcher.find()) {
                String name = matcher.group(1);
                String rule = Character.toLowerCase(name.charAt(0)) + name.substring(1);
                assertFalse(rules.containsKey(rule), "{" + name + "} is left in: " + text);
            }
            assertFalse(text.asText().matches("(?s).*\\$(name|Name|key|plural|group|number).*"));
        }
    }

    @Test
    void promptsSeldomRepeatAndLongAnswersHardlyEver() {
        var prompts = new HashMap<String, Integer>();
        var longAnswers = new HashMap<String, Integer>();
        for (JsonNode dialogue : dialogues) {
            JsonNode turns = dialogue.get("conversations");
            prompts.merge(turns.get(0).get("value").asText(), 1, Integer::sum);
            if (turns.size() > 1 && turns.get(1).get("value").asText().length() > 1_200) {
                longAnswers.merge(turns.get(1).get("value").asText(), 1, Integer::sum);
            }
        }
        assertTrue(prompts.size() > 5_000, prompts.size() + " different prompts");
        int most = prompts.values().stream().max(Integer::compare).orElseThrow();
        assertTrue(most < 30, "a prompt comes " + most + " times");
        assertTrue(longAnswers.size() > 1_500, longAnswers.size() + " long answers");
        longAnswers.values().removeIf(times -> times == 1);
        assertTrue(longAnswers.size() < 15, longAnswers.size() + " long answers come twice");
    }

    @Test
    void everyFormOfTextOccurs() throws IOException {
        String text = Files.readString(file);
        Map<String, Integer> least =
                Map.ofEntries(
                        Map.entry("```python", 300),
                        Map.entry("```java\\n", 300),
                        Map.entry("```go", 300),
                        Map.entry("```sql", 100),
                        Map.entry("```bash", 50),
                        Map.entry("```json", 100),
                        Map.entry("| --- |", 100),
                        Map.entry("Subject: ", 300),
                        Map.entry("**Day 1**", 50),
                        Map.entry("日", 10),
                        Map.entry("你", 20),
                        Map.entry("요", 20),
                        Map.entry("я", 30),
                        Map.entry("ñ", 20),
                        Map.entry("😊", 2),
                        Map.entry("→", 100),
                        Map.entry("²", 100));
        least.forEach(
                (sample, count) -> {
                    int found = text.split(Pattern.quote(sample), -1).length - 1;
                    assertTrue(found >= count, sample + " occurs " + found + " times");
                });
    }

    @Test
    void everyTopicIsComplete() throws IOException {
        PhraseBank bank = PhraseBank.load();
        assertTrue(bank.topics().size() >= 40);
        for (String topic : bank.topics()) {
            for (String kind :
                    List.of("gist", "goal", "fact", "why", "step", "mistake", "term", "qa")) {
                assertTrue(bank.rules().containsKey(topic + "." + kind), topic + " lacks " + kind);
            }
            assertEquals(6, bank.rules().get(topic + ".step").size(), topic);
        }
    }
}
