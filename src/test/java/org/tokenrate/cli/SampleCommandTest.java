package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SampleCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;

    @Test
    void itShowsWhatTheBuiltinDialoguesGive() {
        RootCommandTest.Run run = RootCommandTest.execute("sample", "-n", "500");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("      6,000  conversations in the file\n"), run.out());
        assertTrue(run.out().contains("        500  requests\n"), run.out());
        assertTrue(run.out().contains("the first 5\n"), run.out());
        assertTrue(run.out().lines().allMatch(l -> l.length() <= 80), run.out());
    }

    @Test
    void theCountsAddUpAndEveryFigureFollowsFromTheFile() throws Exception {
        Path file = folder.resolve("w.json");
        RootCommandTest.Run run =
                RootCommandTest.execute(
                        "sample", "-n", "300", "--seed", "5", "--json", file.toString());
        assertEquals(0, run.status(), run.err());
        long drawn = 0;
        long kept = 0;
        for (String line : run.out().lines().toList()) {
            String[] words = line.strip().split(" +", 2);
            if (line.endsWith("dialogues drawn")) drawn = number(words[0]);
            if (line.contains("  dropped: ") || line.endsWith("  requests")) {
                kept += number(words[0]);
            }
        }
        assertTrue(drawn >= 300);
        assertEquals(drawn, kept);
        JsonNode requests = JSON.readTree(file.toFile()).get("requests");
        assertEquals(300, requests.size());
        var lengths = new ArrayList<Integer>();
        long sum = 0;
        for (JsonNode r : requests) {
            assertEquals(r.get("prompt_tokens").asInt(), r.get("prompt_token_ids").size());
            lengths.add(r.get("prompt_tokens").asInt());
            sum += r.get("prompt_tokens").asInt();
        }
        lengths.sort(null);
        String row =
                run.out().lines().filter(l -> l.startsWith("prompt tokens ")).findFirst().get();
        String[] cells = row.split(" +");
        assertEquals(sum / 300.0, Double.parseDouble(cells[2].replace(",", "")), 0.0501);
        assertEquals(
                (lengths.get(149) + lengths.get(150)) / 2.0,
                Double.parseDouble(cells[3].replace(",", "")),
                0.0501);
        assertEquals(
                lengths.get(284) + 0.05 * (lengths.get(285) - lengths.get(284)),
                Double.parseDouble(cells[4].replace(",", "")),
                0.0501);
        assertEquals(lengths.get(299), (int) number(cells[5]));
        assertEquals(sum, number(cells[6]));
    }

    @Test
    void theSameSampleIsTheSameBytes() throws IOException {
        Path a = folder.resolve("a.json");
        Path b = folder.resolve("b.json");
        Path c = folder.resolve("c.json");
        for (Path file : List.of(a, b)) {
            assertEquals(0, RootCommandTest.execute("sample", "-n20", "--json=" + file).status());
        }
        assertEquals(-1, Files.mismatch(a, b));
        // Once more through its own file.
        assertEquals(0, RootCommandTest.execute("sample", a.toString(), "--json=" + c).status());
        assertEquals(-1, Files.mismatch(a, c));
    }

    @ParameterizedTest
    @ValueSource(strings = {"builtin", "random:40/9/0.5"})
    void aRunOfTheFileIsOfTheSameRequestsAsTheRunThatSamples(String dataset) throws Exception {
        Path file = folder.resolve("workload, 1.json");
        RootCommandTest.Run run =
                RootCommandTest.execute(
                        "sample", dataset, "-n", "9", "--seed", "3", "--json", file.toString());
        assertEquals(0, run.status(), run.err());
        JsonNode direct = profile("direct", dataset);
        JsonNode again = profile("again", file.toString());
        JsonNode facts = direct.get("results").get(0).get("facts");
        assertEquals(
                facts.get("workload_sha256"),
                again.get("results").get(0).get("facts").get("workload_sha256"));
        assertTrue(run.out().contains(facts.get("workload_sha256").asText()), run.out());
        List<String> lengths = lengths("direct");
        assertEquals(lengths, lengths("again"));
        var written = new ArrayList<String>();
        for (JsonNode r : JSON.readTree(file.toFile()).get("requests")) {
            written.add(
                    r.get("index") + " " + r.get("prompt_tokens") + " " + r.get("output_tokens"));
        }
        assertEquals(written, lengths);
    }

    /** A run of seed 3 and 9 prompts; its run.json. */
    private JsonNode profile(String name, String dataset) throws Exception {
        Path own = Files.createDirectory(folder.resolve(name));
        Cli cli =
                Cli.run(
                        own,
                        "profile-throughput",
                        dataset,
                        "builtin",
                        "-n9",
                        "-c4",
                        "--seed=3",
                        "--warmup=0",
                        "--engine=simulated:1ms:1ms");
        assertEquals(0, cli.status(), cli.out() + cli.err());
        return JSON.readTree(Cli.runFolder(own).resolve("run.json").toFile());
    }

    private List<String> lengths(String name) throws IOException {
        Path records = Cli.runFolder(folder.resolve(name)).resolve("requests-all-1-1.jsonl");
        var lengths = new ArrayList<String>();
        for (String line : Files.readAllLines(records)) {
            JsonNode r = JSON.readTree(line);
            lengths.add(
                    r.get("index")
                            + " "
                            + r.get("prompt_tokens")
                            + " "
                            + r.get("generated_tokens"));
        }
        return lengths;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    -n 0                      | --num-prompts 0 must be from 1 to 10000000
                    -n -1                     | --num-prompts -1 must be from 1 to 10000000
                    -n 99999999999            | Invalid value for option '--num-prompts'
                    -n 6000                   | numPrompts=6000 is more than the 5936 conversations
                    -n 5900                   | numPrompts=5900 is more than the 5583 usable dialogues
                    --show -1                 | --show -1 must be from 0 to 1000
                    --seed x                  | Invalid value for option '--seed'
                    --sampling first          | Invalid value for option '--sampling'
                    --model /no/such          | there is no model folder /no/such
                    --json /no/such/w.json    | --json /no/such/w.json cannot be written
                    --json /tmp               | --json /tmp cannot be written
                    /no/such.json             | there is no /no/such.json
                    /tmp                      | /tmp is a folder
                    random:5                  | must be random:IN/OUT
                    a b                       | Unmatched argument
                    """)
    void whatIsWrongIsSaidInASentence(String args, String message) {
        var all = new ArrayList<>(List.of("sample"));
        all.addAll(List.of(args.split(" ")));
        RootCommandTest.Run run = RootCommandTest.execute(all.toArray(String[]::new));
        assertEquals(2, run.status(), run.out());
        assertTrue(run.err().startsWith("ERROR: "), run.err());
        assertTrue(run.err().contains(message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    ""                 | is empty, not a ShareGPT JSON array
                    "{"                | is not valid JSON
                    "[{"               | is not valid JSON
                    "[]"               | is more than the 0 conversations
                    "[7]"              | is not a ShareGPT file
                    "{}"               | is neither a ShareGPT file, which is an array, nor a workload
                    """)
    void aBrokenFileIsToldInASentence(String content, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("x.json"), content);
        RootCommandTest.Run run = RootCommandTest.execute("sample", file.toString());
        assertEquals(2, run.status());
        assertTrue(run.err().contains(message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @Test
    void aWorkloadThatIsTooShortOrSampledOtherwiseIsRefused() throws IOException {
        Path file = folder.resolve("w.json");
        RootCommandTest.execute("sample", "-n5", "--json=" + file);
        assertTrue(
                RootCommandTest.execute("sample", file.toString(), "-n6")
                        .err()
                        .contains("numPrompts=6 is more than the 5 requests of " + file));
        assertTrue(
                RootCommandTest.execute("sample", file.toString(), "--sampling=presample")
                        .err()
                        .contains("was sampled by shuffle; give sampling=shuffle"));
        assertTrue(
                RootCommandTest.execute("sample", "output:9@" + file)
                        .err()
                        .contains("is a workload, whose requests have lengths of their own"));
    }

    private static long number(String text) {
        return Long.parseLong(text.replace(",", ""));
    }
}
