package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkloadFileTest {
    private static final WorkloadFile.Origin ORIGIN =
            new WorkloadFile.Origin("d.json", "ab12", "shuffle", -7, "this");

    @TempDir Path folder;

    private final SpaceTokenizer tokenizer = new SpaceTokenizer();

    @Test
    void theFormatIsThis() throws IOException {
        Path file = folder.resolve("w.json");
        new WorkloadFile(
                        ORIGIN,
                        List.of(
                                new SampledPrompt(17, "a \"é\"\n\ud83d", new int[] {1, 5, 7}, 9),
                                new SampledPrompt(3, "b", new int[] {0}, 1)))
                .write(file);
        assertEquals(
                """
                {"format":"tokenrate-workload","version":1,"dataset":"d.json","dataset_sha256":"ab12","sampling":"shuffle","seed":-7,"tokenizer_sha256":"this","workload_sha256":"2bc0388d83b58f554addc63b6e50848d8713d9150260a85ba8772c9c6a3ae6ed","requests":[
                {"index":0,"dialogue":17,"prompt":"a \\"\\u00E9\\"\\n\\uD83D","prompt_tokens":3,"output_tokens":9,"prompt_token_ids":[1,5,7]},
                {"index":1,"dialogue":3,"prompt":"b","prompt_tokens":1,"output_tokens":1,"prompt_token_ids":[0]}
                ]}
                """,
                Files.readString(file, StandardCharsets.US_ASCII));
    }

    @Test
    void whatIsWrittenIsReadAgainAndWrittenTheSame() throws IOException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            var prompts = new ArrayList<SampledPrompt>();
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                int[] ids = random.ints(1 + random.nextInt(90), 0, 1 << 16).toArray();
                // Any 16-bit units, halves of pairs and all.
                char[] text = new char[random.nextInt(40)];
                for (int c = 0; c < text.length; c++) text[c] = (char) random.nextInt(1 << 16);
                prompts.add(new SampledPrompt(i, new String(text), ids, 1 + random.nextInt(3000)));
            }
            Path file = folder.resolve("a.json");
            Path again = folder.resolve("b.json");
            new WorkloadFile(ORIGIN, prompts).write(file);
            assertTrue(WorkloadFile.isOne(file));
            WorkloadFile read = read(file, "this");
            assertEquals(ORIGIN, read.origin(), "seed " + seed);
            for (int i = 0; i < count; i++) {
                assertEquals(prompts.get(i).prompt(), read.prompts().get(i).prompt());
                assertArrayEquals(
                        prompts.get(i).promptTokens(), read.prompts().get(i).promptTokens());
                assertEquals(prompts.get(i).answerTokens(), read.prompts().get(i).answerTokens());
            }
            read.write(again);
            assertEquals(-1, Files.mismatch(file, again), "seed " + seed);
        }
    }

    @Test
    void onlyTheFirstAreReadIfFewerAreWanted() throws IOException {
        Path file = write("{'prompt':'a b','output_tokens':3},{'prompt':'c','output_tokens':4}");
        assertEquals(
                1,
                WorkloadFile.read(file, 1, tokenizer, "this", WorkloadFile.Ids.AS_WRITTEN)
                        .prompts()
                        .size());
    }

    @Test
    void withoutIdsTheTokenizerMakesThem() throws IOException {
        SampledPrompt p =
                read(write("{'prompt':'a b','output_tokens':3}"), "this").prompts().get(0);
        assertArrayEquals(tokenizer.encode("a b"), p.promptTokens());
        assertEquals(3, p.answerTokens());
    }

    /** Ids that this tokenizer would make of another text are taken from its own files only. */
    @Test
    void idsOfAnotherTokenizerAreRefusedUnlessMadeAnew() throws IOException {
        Path file = write("{'prompt':'a b','output_tokens':3,'prompt_token_ids':[1,2,3]}");
        assertArrayEquals(new int[] {1, 2, 3}, read(file, "other").prompts().get(0).promptTokens());
        String message = assertThrows(IOException.class, () -> read(file, "this")).getMessage();
        assertTrue(message.contains("requests[0] has 3 token ids of another tokenizer"), message);
        assertTrue(message.contains("sample " + file + " --model MODEL --json"), message);
        WorkloadFile anew =
                WorkloadFile.read(file, 9, tokenizer, "this", WorkloadFile.Ids.MADE_ANEW);
        assertArrayEquals(tokenizer.encode("a b"), anew.prompts().get(0).promptTokens());
        assertEquals("this", anew.origin().tokenizerSha256());
    }

    @Test
    void idsThatThisTokenizerMakesTooAreItsOwn() throws IOException {
        int[] own = tokenizer.encode("a b");
        Path file =
                write(
                        "{'prompt':'a b','output_tokens':3,'prompt_token_ids':[%d,%d]}"
                                .formatted(own[0], own[1]));
        assertArrayEquals(own, read(file, "this").prompts().get(0).promptTokens());
    }

    @Test
    void theDigestIsOfIdsAndLengths() {
        var a = new SampledPrompt(1, "x", new int[] {1, 2}, 3);
        var otherText = new SampledPrompt(9, "y", new int[] {1, 2}, 3);
        var otherId = new SampledPrompt(1, "x", new int[] {1, 3}, 3);
        var otherLength = new SampledPrompt(1, "x", new int[] {1, 2}, 4);
        String digest = WorkloadFile.sha256(List.of(a));
        assertEquals(digest, WorkloadFile.sha256(List.of(otherText)));
        assertNotEquals(digest, WorkloadFile.sha256(List.of(otherId)));
        assertNotEquals(digest, WorkloadFile.sha256(List.of(otherLength)));
        assertNotEquals(digest, WorkloadFile.sha256(List.of(a, a)));
        // printf '\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\3' | sha256sum
        assertEquals("4b60b2f15e1f363ec13a7b6ca270741fded078a9f91685dd436d69a9cd7f4ff5", digest);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    {                                                            | is not valid JSON
                    {}                                                           | is neither a ShareGPT file
                    {'format':'x','version':1,'requests':[]}                     | is neither a ShareGPT file
                    {'format':'F','version':2,'requests':[]}                     | is a workload of version 2; this tokenrate reads version 1
                    {'format':'F','version':'1','requests':[]}                   | version must be a whole number (line 1,
                    {'format':'F','version':1}                                   | holds no request
                    {'format':'F','version':1,'requests':[]}                     | holds no request
                    {'format':'F','version':1,'requests':7}                      | requests must be an array
                    {'format':'F','version':1,'requests':[7]}                    | requests[0] must be an object
                    {'format':'F','version':1,'requests':[{'output_tokens':3}]}  | requests[0] has no "prompt"
                    {'format':'F','version':1,'requests':[{'prompt':'a'}]}       | requests[0] has no "output_tokens"
                    {'format':'F','version':1,'requests':[{'prompt':' ','output_tokens':3}]}  | requests[0].prompt has no tokens
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':0}]}  | requests[0].output_tokens must be from 1 to 10000000, not 0
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':-1}]} | requests[0].output_tokens must be from 1
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1.5}]} | requests[0].output_tokens must be a whole number
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':99999999999999999999}]} | requests[0].output_tokens must be from 1
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1,'prompt_token_ids':[65536]}]} | requests[0].prompt_token_ids must be from 0 to 65535, not 65536
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1,'prompt_token_ids':[-1]}]} | requests[0].prompt_token_ids must be from 0
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1,'prompt_token_ids':[]}]} | requests[0].prompt_token_ids must not be empty
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1,'prompt_tokens':2,'prompt_token_ids':[5]}]} | requests[0] has 1 prompt_token_ids, but prompt_tokens says 2
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1}]}{} | nothing may follow the workload
                    {'format':'F','version':1,'requests':[{'prompt':'a','output_tokens':1}     | is not valid JSON
                    """)
    void whatIsNoWorkloadIsRefusedInASentence(String json, String message) throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("bad.json"),
                        json.replace("'F'", "'" + WorkloadFile.FORMAT + "'").replace('\'', '"'));
        String told = assertThrows(IOException.class, () -> read(file, "this")).getMessage();
        assertTrue(told.startsWith(file.toString()), told);
        assertTrue(told.contains(message), told);
        assertFalse(told.contains("\n"), told);
    }

    private WorkloadFile read(Path file, String tokenizerSha256) throws IOException {
        return WorkloadFile.read(
                file, Integer.MAX_VALUE, tokenizer, tokenizerSha256, WorkloadFile.Ids.AS_WRITTEN);
    }

    private Path write(String requests) throws IOException {
        return Files.writeString(
                folder.resolve("w.json"),
                ("{'format':'tokenrate-workload','version':1,'tokenizer_sha256':'other','requests':["
                                + requests
                                + "]}")
                        .replace('\'', '"'));
    }
}
