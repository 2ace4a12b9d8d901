package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.bench.GeneratedShareGpt;

class ShareGptDatasetTest {
    @TempDir Path folder;

    @Test
    void onlyTheFirstTwoTurnsOfConversationsWithTwoAreKept() throws IOException {
        try (var dataset =
                open(
                        """
                        [{"id": "a", "conversations": [{"from": "human", "value": "p0"},
                                                       {"from": "gpt", "value": "a0"},
                                                       {"from": "human", "value": 7}]},
                         {"id": "b", "conversations": [{"from": "human", "value": "alone"}]},
                         {"id": "c", "conversations": []},
                         {"id": "d", "conversations": [{"value": "p1"}, {"value": "a1"}]}]
                        """)) {
            assertEquals(List.of(new Dialogue("p0", "a0"), new Dialogue("p1", "a1")), all(dataset));
        }
    }

    @Test
    void keysMayComeInAnyOrderAndUnknownOnesArePassedOver() throws IOException {
        try (var dataset =
                open(
                        """
                        [{"x": {"conversations": [1], "value": {}}, "conversations":[
                          {"value":"p"  , "from":"human","markdown":{"value":["no",{}]}},
                          {"text":null,"value"\t:\r
                           "a"
                          }],"id":NaN,"z":[[[]],-1e5,true]}]
                        """)) {
            assertEquals(List.of(new Dialogue("p", "a")), all(dataset));
        }
    }

    @Test
    void ofARepeatedKeyTheLastCounts() throws IOException {
        try (var dataset =
                open(
                        """
                        [{"conversations": [{"value":"x"},{"value":"y"}],
                          "conversations": [{"value":3,"value":"p"},{"value":"no","value":"a"}]}]
                        """)) {
            assertEquals(List.of(new Dialogue("p", "a")), all(dataset));
        }
    }

    @Test
    void escapesAndEveryPlaneOfUnicodeAreDecoded() throws IOException {
        try (var dataset =
                open(
                        """
                        [{"conversations": [{"value":"\\"\\\\\\/\\b\\n\\u00e9\\ud83d\\ude80"},
                        {"value":"é你🚀"}]}]
                        """)) {
            assertEquals(List.of(new Dialogue("\"\\/\b\né🚀", "é你🚀")), all(dataset));
        }
    }

    @Test
    void randomConversationsReadAsATreeParserReadsThem() throws IOException {
        long seed = System.nanoTime();
        Path file = folder.resolve("random.json");
        GeneratedShareGpt.write(file, 3 << 20, seed);
        var expected = new ArrayList<Dialogue>();
        for (JsonNode conversation : new ObjectMapper().readTree(file.toFile())) {
            JsonNode turns = conversation.get("conversations");
            if (turns.size() < 2) continue;
            expected.add(
                    new Dialogue(
                            turns.get(0).get("value").textValue(),
                            turns.get(1).get("value").textValue()));
        }
        try (var dataset = ShareGptDataset.open(file)) {
            assertEquals(expected, all(dataset), "seed " + seed);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"conversations": []}|must be an array of conversations, found an object|byte 0
                    [3]|[0] must be an object, found a number|line 1, column 2, byte 1
                    [{}, {"id": 1}]|[0] has no "conversations"|byte 1
                    [{"conversations": {}}]|[0].conversations must be an array of turns, found an object|byte 19
                    [{"conversations": [1, 2]}]|[0].conversations[0] must be an object with a "value", found a number|byte 20
                    [{"conversations": [{"value":"x"},{"from":"y"}]}]|[0].conversations[1] has no "value"|byte 34
                    [{"conversations": [{"value":"x"},{"value":null}]}]|[0].conversations[1].value must be a string, found null|byte 43
                    [] []|nothing may follow the array|byte 3
                    []x|not valid JSON|line 1, column
                    [{"conversations": [{"value" "x"}]}]|not valid JSON|byte
                    [{"conversations": [{"value": "\\q"}]}]|not valid JSON|byte
                    [{"conversations": [{"value": "|not valid JSON|byte
                    """)
    void whatIsWrongIsSaidWithItsPosition(String json, String what, String where) {
        String message = assertThrows(IOException.class, () -> open(json)).getMessage();
        assertTrue(message.contains(what), message);
        assertTrue(message.contains(where), message);
        assertTrue(message.contains("dataset.json"), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void aFileCutOffAnywhereIsRefusedWithThePosition() throws IOException {
        String json =
                "[{\"id\":1,\"conversations\":[{\"value\":\"é\\n\"},{\"value\":\"b\"}]},{\"conversations\":[]}]";
        byte[] whole = json.getBytes(StandardCharsets.UTF_8);
        open(whole).close();
        for (int length = 1; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            String message = assertThrows(IOException.class, () -> open(cut)).getMessage();
            assertTrue(message.matches(".*\\(line 1, column \\d+, byte \\d+\\)"), message);
        }
    }

    @Test
    void anEmptyFileIsRefused() {
        for (String json : List.of("", " \n")) {
            String message = assertThrows(IOException.class, () -> open(json)).getMessage();
            assertTrue(message.contains("is empty"), message);
        }
    }

    @Test
    void otherEncodingsAreRefusedByName() {
        String json = "[{\"conversations\":[{\"value\":\"é\"},{\"value\":\"b\"}]}]";
        refused(json.getBytes(StandardCharsets.UTF_16LE), "UTF-16");
        refused(json.getBytes(StandardCharsets.UTF_16), "UTF-16");
        refused(("\ufeff" + json).getBytes(StandardCharsets.UTF_8), "byte order mark");
        refused(json.getBytes(StandardCharsets.ISO_8859_1), "Invalid UTF-8");
        refused(new byte[] {0x1f, (byte) 0x8b, 8, 0}, "gzip");
    }

    private void refused(byte[] content, String why) {
        String message = assertThrows(IOException.class, () -> open(content)).getMessage();
        assertTrue(message.contains(why) && message.contains("byte"), message);
    }

    @Test
    void aFolderAndAMissingFileAreNamed() {
        String message =
                assertThrows(IOException.class, () -> ShareGptDataset.open(folder)).getMessage();
        assertTrue(message.contains(folder + " is a folder"), message);
        Path missing = folder.resolve("missing.json");
        message = assertThrows(IOException.class, () -> ShareGptDataset.open(missing)).getMessage();
        assertTrue(message.contains("no dataset file " + missing), message);
    }

    @Test
    void nestingWithoutBoundIsRefused() {
        String message =
                assertThrows(IOException.class, () -> open("[".repeat(1 << 20))).getMessage();
        assertTrue(message.contains("must be an object"), message);
        message =
                assertThrows(IOException.class, () -> open("[{\"x\":" + "[".repeat(1 << 20)))
                        .getMessage();
        assertTrue(message.contains("nesting depth"), message);
    }

    @Test
    void aValueTooLongToHoldIsRefusedButOnlyAmongTheFirstTwoTurns() throws IOException {
        String huge = "{\"value\":\"" + "x".repeat(ShareGptScanner.MAX_VALUE_BYTES) + "\"}";
        String json = "[{\"conversations\":[{\"value\":\"p\"},{\"value\":\"a\"}," + huge + "]}]";
        try (var dataset = open(json)) {
            assertEquals(List.of(new Dialogue("p", "a")), all(dataset));
        }
        refused(
                ("[{\"conversations\":[{\"value\":\"p\"}," + huge + "]}]")
                        .getBytes(StandardCharsets.UTF_8),
                "at most 16,777,216 are read");
    }

    @Test
    void aFileThatChangesWhileInUseIsNoticed() throws IOException {
        try (var dataset = open("[{\"conversations\":[{\"value\":\"p\"},{\"value\":\"a\"}]}]")) {
            Files.writeString(dataset.file(), "[]");
            var e = assertThrows(IOException.class, () -> dataset.dialogue(0));
            assertTrue(e.getMessage().contains("changed while it was in use"), e.getMessage());
        }
    }

    @Test
    void theChecksumIsTheFiles() throws IOException {
        try (var dataset = open("[]")) {
            assertEquals(
                    "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
                    dataset.sha256());
        }
    }

    /** 60 MB in 46 MB: what 650 MB in 512 MB is. */
    @Test
    void aFileLargerThanTheHeapIsReadAndSampled() throws Exception {
        Path file = folder.resolve("large.json");
        int usable = GeneratedShareGpt.write(file, 60 << 20, new Random(5).nextLong());
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx46m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                SamplesInSmallHeap.class.getName(),
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), output);
        assertEquals(usable + " conversations, 1000 sampled", output.strip());
    }

    private static List<Dialogue> all(ShareGptDataset dataset) throws IOException {
        var dialogues = new ArrayList<Dialogue>();
        for (int i = 0; i < dataset.size(); i++) dialogues.add(dataset.dialogue(i));
        return dialogues;
    }

    private ShareGptDataset open(String json) throws IOException {
        return open(json.getBytes(StandardCharsets.UTF_8));
    }

    private ShareGptDataset open(byte[] content) throws IOException {
        return ShareGptDataset.open(Files.write(folder.resolve("dataset.json"), content));
    }
}
