package org.tokenrate.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestRecordsTest {
    @TempDir Path folder;

    @Test
    void whatIsWrittenReadsBackExactly() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        List<RequestRecord> records = new ArrayList<>();
        for (int i = 0; i < 500; i++) records.add(randomRecord(random, i));
        Path file = folder.resolve("requests-1.jsonl");
        RequestRecords.write(file, records);
        List<RequestRecord> back = RequestRecords.read(file);
        assertEquals(records.size(), back.size());
        for (int i = 0; i < records.size(); i++) {
            assertSame(records.get(i), back.get(i), "record " + i + ", seed " + seed);
        }
    }

    @Test
    void aLineIsPlainJsonWithSecondsToTheNanosecond() throws IOException {
        var whole =
                new RequestRecord(
                        0,
                        12,
                        3,
                        3,
                        1_200,
                        -1,
                        2_000_000_001L,
                        new long[0],
                        new int[0],
                        "stop",
                        "");
        var streamed =
                new RequestRecord(
                        1,
                        4,
                        3,
                        3,
                        0,
                        7,
                        10,
                        new long[] {7, 1_000_000_000},
                        new int[] {2, 1},
                        "failed",
                        "a \"quoted\"\nline");
        Path file = folder.resolve("r.jsonl");
        RequestRecords.write(file, List.of(whole, streamed));
        assertEquals(
                """
                {"index":0,"prompt_tokens":12,"requested_tokens":3,"generated_tokens":3,"submit_s":0.000001200,"first_token_s":null,"finish_s":2.000000001,"step_s":[],"finish_reason":"stop","error":""}
                {"index":1,"prompt_tokens":4,"requested_tokens":3,"generated_tokens":3,"submit_s":0.000000000,"first_token_s":0.000000007,"finish_s":0.000000010,"step_s":[0.000000007,1.000000000],"step_tokens":[2,1],"finish_reason":"failed","error":"a \\"quoted\\"\\nline"}
                """,
                Files.readString(file));
    }

    @Test
    void everyLineIsOneThatAnotherJsonReaderUnderstands() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        List<RequestRecord> records = new ArrayList<>();
        for (int i = 0; i < 50; i++) records.add(randomRecord(random, i));
        Path file = folder.resolve("r.jsonl");
        RequestRecords.write(file, records);
        List<String> lines = Files.readAllLines(file);
        assertEquals(50, lines.size());
        var mapper = new ObjectMapper();
        for (int i = 0; i < 50; i++) {
            JsonNode node = mapper.readTree(lines.get(i));
            RequestRecord r = records.get(i);
            assertEquals(r.error(), node.get("error").asText());
            assertEquals(r.stepNanos().length, node.get("step_s").size());
            assertEquals(r.finishNanos() / 1e9, node.get("finish_s").asDouble(), "seed " + seed);
        }
    }

    @Test
    void timesThatAnotherToolRewroteAreRead() throws IOException {
        String line =
                """
                {"note":{"by":["hand"]},"index":3,"prompt_tokens":1,"requested_tokens":2,"generated_tokens":2,"submit_s":1e-06,"first_token_s":0.25,"finish_s":3,"step_s":[0.25,2.5E0],"finish_reason":"length","error":""}
                """;
        Path file = Files.writeString(folder.resolve("r.jsonl"), line);
        RequestRecord r = RequestRecords.read(file).get(0);
        assertEquals(1_000, r.submitNanos());
        assertEquals(250_000_000, r.firstTokenNanos());
        assertEquals(3_000_000_000L, r.finishNanos());
        assertArrayEquals(new long[] {250_000_000, 2_500_000_000L}, r.stepNanos());
        assertArrayEquals(new int[] {1, 1}, r.stepTokens());
    }

    @Test
    void anEmptyFileHoldsNoRecords() throws IOException {
        Path file = folder.resolve("r.jsonl");
        RequestRecords.write(file, List.of());
        assertEquals(0, Files.size(file));
        assertTrue(RequestRecords.read(file).isEmpty());
    }

    @Test
    void whatIsBrokenIsNamedWithItsLine() throws IOException {
        String good =
                """
                {"index":0,"prompt_tokens":1,"requested_tokens":2,"generated_tokens":2,"submit_s":0.0,"first_token_s":null,"finish_s":3,"step_s":[],"finish_reason":"length","error":""}
                """;
        assertBroken(
                good + good.replace("\"finish_s\":3,", ""), "line 2: the record has no finish_s");
        assertBroken(
                good + good.replace(":3,", ":\"x\","), "line 2: finish_s must be a number, not x");
        assertBroken(
                good.replace(":3,", ":0.0000000001,"),
                "line 1: 0.0000000001 is not a time in seconds with at most nine decimals");
        assertBroken(good.replace("[]", "[1],\"step_tokens\":[1,1]"), "step_tokens has 2 values");
        assertBroken(good.replace("[]", "7"), "line 1: step_s must be a JSON start_array, not '7'");
        assertBroken(good + "[]", "line 2: a record must be a JSON start_object, not '['");
        assertBroken(good + good.substring(0, 40), "line 2: Unexpected end-of-input");
    }

    private void assertBroken(String content, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("bad.jsonl"), content);
        var e = assertThrows(IOException.class, () -> RequestRecords.read(file));
        assertTrue(e.getMessage().startsWith(file + ", line "), e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void secondsAreExactForAnyTime() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            long nanos = random.nextLong() >>> (1 + random.nextInt(63));
            String text = new BigDecimal(nanos).movePointLeft(9).toPlainString();
            char[] chars = ("ab" + text).toCharArray();
            assertEquals(nanos, Seconds.parse(chars, 2, text.length()), text + ", seed " + seed);
        }
    }

    private static RequestRecord randomRecord(Random random, int index) {
        int steps = random.nextInt(3) == 0 ? 0 : random.nextInt(40);
        boolean ones = random.nextBoolean();
        long submit = random.nextInt(1_000_000_000) * (long) random.nextInt(100);
        long time = submit;
        long[] stepNanos = new long[steps];
        int[] stepTokens = new int[steps];
        int generated = steps == 0 ? random.nextInt(5) : 0;
        for (int i = 0; i < steps; i++) {
            time += random.nextInt(50_000_000);
            stepNanos[i] = time;
            stepTokens[i] = ones ? 1 : 1 + random.nextInt(3);
            generated += stepTokens[i];
        }
        boolean failed = random.nextInt(5) == 0;
        return new RequestRecord(
                index,
                random.nextInt(2_000),
                generated + random.nextInt(2),
                generated,
                submit,
                steps == 0 ? -1 : stepNanos[0],
                time + random.nextInt(1_000),
                stepNanos,
                stepTokens,
                failed ? "failed" : "length",
                failed ? "it said \"no\": \u00e9\u4e2d\ud83d\ude00\n" : "");
    }

    private static void assertSame(RequestRecord a, RequestRecord b, String message) {
        assertArrayEquals(a.stepNanos(), b.stepNanos(), message);
        assertArrayEquals(a.stepTokens(), b.stepTokens(), message);
        assertEquals(withoutArrays(a), withoutArrays(b), message);
    }

    private static List<Object> withoutArrays(RequestRecord r) {
        return List.of(
                r.index(),
                r.promptTokens(),
                r.requestedTokens(),
                r.generatedTokens(),
                r.submitNanos(),
                r.firstTokenNanos(),
                r.finishNanos(),
                r.finishReason(),
                r.error());
    }
}
