package org.tokenrate.compare;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareTest {
    private static final Map<String, String> ONE = Map.of("concurrency", "1");
    private static final Map<String, String> FOUR = Map.of("concurrency", "4");
    private static final Map<String, String> SIXTEEN = Map.of("concurrency", "16");
    private static final Map<String, String> NO_FACTS = Map.of();
    private static final double[] BASE = {100, 101, 99, 100.5, 99.5, 100.2, 99.8, 100.1};
    private static final double[] TENTH_MORE = {110, 111.1, 109, 110.6, 109.4, 110.3, 109.7, 110.2};

    @TempDir Path folder;

    @Test
    void ratesThatRiseAreFasterAndLatenciesThatRiseAreSlower() throws IOException {
        Comparison c = compare(row(ONE, BASE), row(ONE, TENTH_MORE));
        for (Outcome o : c.outcomes()) {
            assertEquals(
                    o.figure().higherIsBetter() ? Verdict.FASTER : Verdict.SLOWER,
                    o.verdict(),
                    o.toString());
            // Medians by hand: (100 + 100.1) / 2 = 100.05 and (110 + 110.2) / 2 = 110.1.
            assertEquals(110.1 / 100.05 - 1, o.change(), 1e-12);
            // Complete separation of eight, and BH leaves equal values as they are.
            assertEquals(2.0 / 12_870, o.adjustedP(), 1e-12);
            assertTrue(o.interval().low() > 0.08 && o.interval().high() < 0.12, o.toString());
        }
        assertEquals(Figure.values().length, c.outcomes().size());
    }

    @Test
    void aBuildDoesNotDifferFromItselfAndTheTableSaysWhatWouldHaveShown() throws IOException {
        Comparison c = compare(row(ONE, BASE), row(ONE, BASE));
        assertEquals(c.outcomes().size(), c.count(Verdict.NO_DIFFERENCE));
        Outcome o = c.outcomes().get(0);
        assertTrue(o.detectable() > 0.005 && o.detectable() < 0.03, o.toString());
        assertTrue(o.words().matches("no difference seen \\(from \\d\\.\\d %\\)"), o.words());
    }

    @Test
    void tooFewForksAreSaidToBeWithTheNumberNeeded() throws IOException {
        Comparison c = compare(row(ONE, 100, 101, 99), row(ONE, 200, 201, 199));
        assertEquals(c.outcomes().size(), c.count(Verdict.TOO_FEW));
        // One of eight figures alone needs 0.05 / 8: 2 / C(10, 5) is over it, 2 / C(12, 6) is not.
        assertEquals("too few forks (3 of 6)", c.outcomes().get(0).words());
    }

    @Test
    void manyIterationsOfOneForkAreStillOneFork() throws IOException {
        double[][] slow = {{200, 201, 202, 203, 204, 205, 206, 207, 208, 209}};
        double[][] fast = {{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}};
        var base = new ResultFiles().row(ONE, NO_FACTS, fast);
        var candidate = new ResultFiles().row(ONE, NO_FACTS, slow);
        Comparison c = compare(base, candidate);
        assertEquals(c.outcomes().size(), c.count(Verdict.TOO_FEW));
        assertFalse(c.outcomes().get(0).interval().isKnown());
    }

    @Test
    void rowsAreMatchedByTheirParametersAndTheRestIsListed() throws IOException {
        var base = row(ONE, BASE).row(FOUR, NO_FACTS, BASE);
        var candidate = row(SIXTEEN, BASE).row(FOUR, NO_FACTS, TENTH_MORE);
        Comparison c = compare(base, candidate);
        assertEquals(
                List.of("concurrency=4"), c.rows().stream().map(Comparison.Row::label).toList());
        assertEquals(List.of("concurrency=1"), c.onlyBase());
        assertEquals(List.of("concurrency=16"), c.onlyCandidate());
    }

    @Test
    void rowsComeInTheOrderOfTheirNumbers() throws IOException {
        var r = row(SIXTEEN, BASE).row(ONE, NO_FACTS, BASE).row(FOUR, NO_FACTS, BASE);
        assertEquals(
                List.of("concurrency=1", "concurrency=4", "concurrency=16"),
                compare(r, r).rows().stream().map(Comparison.Row::label).toList());
    }

    @Test
    void withoutAPairItSaysWhichParameterDiffers() {
        var e = assertThrows(IOException.class, () -> compare(row(ONE, BASE), row(FOUR, BASE)));
        assertTrue(
                e.getMessage()
                        .endsWith(
                                "base concurrency=1; candidate concurrency=4; for a"
                                        + " parameter that is meant to differ use e.g. --across concurrency"),
                e.getMessage());
    }

    @Test
    void aParameterThatIsMeantToDifferIsPassedOver() throws IOException {
        var base = row(Map.of("engine", "cpu", "concurrency", "4"), BASE);
        var candidate = row(Map.of("engine", "cuda", "concurrency", "4"), TENTH_MORE);
        Comparison c =
                Comparison.of(side("base", base), side("candidate", candidate), Set.of("engine"));
        assertEquals(1, c.rows().size());
        var e =
                assertThrows(
                        IOException.class,
                        () ->
                                Comparison.of(
                                        side("base", base),
                                        side("candidate", candidate),
                                        Set.of("tp")));
        assertTrue(e.getMessage().startsWith("'tp' is no parameter"), e.getMessage());
    }

    @Test
    void severalRunsOfACommitAreFurtherForksOfIt() throws IOException {
        Path commit = folder.resolve("results/1a2b3c4");
        row(ONE, 100, 101, 99).write(commit.resolve("20260101T000000Z"));
        row(ONE, 100.4, 99.6).write(commit.resolve("20260102T000000Z"));
        Files.createDirectories(commit.resolve("junk"));
        Side side = Side.find("1a2b", folder.resolve("results"));
        Comparison c = Comparison.of(side, side, Set.of());
        assertEquals(5, c.rows().get(0).baseForks());
        assertEquals(100, c.outcomes().get(0).base());
    }

    @Test
    void aSideIsACommitALongerHashAFolderOrAFile() throws IOException {
        Path results = folder.resolve("results");
        Path run = results.resolve("1a2b3c4/20260101T000000Z");
        Path file = row(ONE, BASE).write(run);
        row(ONE, BASE).write(results.resolve("1a2b3c4-dirty/20260101T000000Z"));
        for (String text :
                List.of(
                        "1a2b3c4",
                        "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d",
                        run.toString(),
                        run.getParent().toString(),
                        file.toString())) {
            assertEquals(file, Side.find(text, results).runs().get(0).file(), text);
        }
        assertEquals(
                "'1a2' may be 1a2b3c4, 1a2b3c4-dirty in " + results + "; give more of the name",
                assertThrows(IOException.class, () -> Side.find("1a2", results)).getMessage());
        assertEquals(
                "'ffff' is neither a file, a folder nor a commit in "
                        + results
                        + "; that has 1a2b3c4, 1a2b3c4-dirty",
                assertThrows(IOException.class, () -> Side.find("ffff", results)).getMessage());
    }

    @Test
    void whatDiffersBesidesTheCommitIsRefusedAndForcedWithAWarning() throws IOException {
        var base = new ResultFiles().row(ONE, Map.of("dataset_sha256", "aa"), BASE);
        var candidate = new ResultFiles().row(ONE, Map.of("dataset_sha256", "bb"), BASE);
        Side a = side("base", base);
        Side b = side("candidate", candidate);
        writeMachine("base", "EPYC");
        writeMachine("candidate", "Xeon");
        Side c = Side.find(folder.resolve("base").toString(), folder);
        Side d = Side.find(folder.resolve("candidate").toString(), folder);
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Compare.run(c, d, CompareOptions.PLAIN, screen()));
        assertEquals(
                """
                base and candidate are not alike:
                  cpu differs: base EPYC; candidate Xeon
                  dataset_sha256 differs: base aa; candidate bb
                --force compares them all the same""",
                e.getMessage());
        var forced = options(Optional.empty(), true);
        String text = shown(a, b, forced);
        assertTrue(text.contains("NOT ALIKE: dataset_sha256 differs: base aa; candidate bb"), text);
    }

    @Test
    void theSoftwareGpusTimesAreNotComparedNotEvenByForce() throws IOException {
        var played =
                Map.of("engine", "cuda", "device", "Software GPU (tests only, no timing), sm_80");
        var real = side("real", row(ONE, BASE));
        var soft = side("soft", new ResultFiles().row(ONE, played, BASE));
        var forced = options(Optional.empty(), true);
        for (Side base : List.of(real, soft)) {
            var e = assertThrows(IOException.class, () -> shown(base, soft, forced));
            String which = base == soft ? "base" : "candidate";
            assertTrue(
                    e.getMessage().startsWith("the " + which + " was measured on Software GPU"),
                    e.getMessage());
        }
    }

    @Test
    void failedRequestsAndOtherWorkAreDifferencesToo() throws IOException {
        double[][] ones = {{1}, {0}};
        double[][] none = {{0}, {0}};
        var base =
                row(ONE, 100, 101).with("failed", none).with("prompts", new double[][] {{5}, {5}});
        var failed = row(ONE, 100, 101).with("failed", ones);
        var shorter = row(ONE, 100, 101).with("prompts", new double[][] {{4}, {4}});
        assertEquals(
                List.of("1 requests of the candidate failed with all, and are in no figure"),
                compare(base, failed).differences());
        assertEquals(
                List.of("prompts differ with all: base 5; candidate 4"),
                compare(base, shorter).differences());
    }

    @Test
    void aSecondWorkloadInAnIterationIsNoOtherWork() throws IOException {
        var base = row(ONE, 100, 101).with("prompts", new double[][] {{5}, {10}});
        var twice = row(ONE, 100, 101).with("prompts", new double[][] {{10}, {10}});
        var other = row(ONE, 100, 101).with("prompts", new double[][] {{5}, {7}});
        assertEquals(List.of(), compare(base, base).differences());
        assertEquals(
                List.of("prompts differ with all: base 5; candidate 10"),
                compare(base, twice).differences());
        assertEquals(
                List.of("prompts differ with all: base 5 to 7; candidate 5"),
                compare(other, base).differences());
    }

    @Test
    void whatIsNotStreamedIsNotMeasuredAndCountsForNothing() throws IOException {
        double[][] none = {{Double.NaN}, {Double.NaN}, {Double.NaN}, {Double.NaN}};
        var whole = row(ONE, 100, 101, 102, 103);
        for (String m : List.of("ttft_p50_s", "ttft_p99_s", "itl_p50_s", "itl_p99_s")) {
            whole.with(m, none);
        }
        Comparison c = compare(whole, whole);
        assertEquals(4, c.outcomes().size());
        assertEquals(Verdict.NOT_MEASURED, c.rows().get(0).outcomes().get(2).verdict());
        assertTrue(TextTable.of(c).contains("not measured"));
    }

    @Test
    void figuresOfZeroHaveNoRatio() throws IOException {
        Comparison c = compare(row(ONE, 0, 0, 0, 0), row(ONE, 1, 1, 1, 1));
        assertEquals(0, c.outcomes().size());
    }

    @Test
    void filesThatAreNoResultsAreRefusedInASentence() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.json"), "");
        refused(empty, "empty.json is not JMH's json: that is an array of results");
        Path other =
                new ResultFiles().ofBenchmark("a.Harness.b").row(ONE, NO_FACTS, 1).write(folder);
        refused(
                other,
                "jmh.json holds no result of RequestThroughputBenchmark, only of a.Harness.b");
        Path run = row(ONE, 1).write(folder.resolve("run"));
        Files.writeString(folder.resolve("run/run.json"), "{oops");
        refused(run, "run.json is not JSON: line 1, column ");
    }

    @Test
    void theGateFailsOnlyOnASureSlowdownOverItsLimit() throws IOException {
        Side base = side("base", row(ONE, BASE));
        Side slower = side("candidate", row(ONE, TENTH_MORE));
        assertTrue(Compare.run(base, base, gate(0), screen()));
        assertTrue(Compare.run(base, slower, gate(0.15), screen()));
        assertFalse(Compare.run(base, slower, gate(0.05), screen()));
    }

    @Test
    void theGateSaysOfHowManyFiguresItCouldNotHaveSeenAsMuch() throws IOException {
        Side base = side("base", row(ONE, BASE));
        int figures = compare(row(ONE, BASE), row(ONE, BASE)).outcomes().size();
        assertEquals(
                "PASSED: no figure is shown to be slower by more than 0.0 %%; but %d of %d would likely not have shown it: measure more forks\n"
                        .formatted(figures, figures),
                verdict(base, 0));
        assertEquals(
                "PASSED: no figure is shown to be slower by more than 90.0 %\n",
                verdict(base, 0.9));
    }

    /** The last line of a comparison of a side with itself. */
    private String verdict(Side side, double ratio) throws IOException {
        var screen = new ByteArrayOutputStream();
        Compare.run(side, side, gate(ratio), new PrintStream(screen, true, UTF_8));
        String text = screen.toString(UTF_8);
        return text.substring(text.indexOf("PASSED"));
    }

    @Test
    void aGateThatCouldNeverFailIsRefused() throws IOException {
        Side base = side("base", row(ONE, 100, 101, 99));
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Compare.run(base, base, gate(0.03), screen()));
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "--fail-over 3.0 % cannot be decided: no change, however large"),
                e.getMessage());
    }

    @Test
    void theTableFitsIntoAHundredColumns() throws IOException {
        String text = TextTable.of(compare(row(ONE, BASE), row(ONE, TENTH_MORE)));
        assertTrue(text.contains("8 figures in 1 row: 2 faster, 6 slower"), text);
        for (String line : text.lines().toList()) {
            if (line.contains("jmh.json")) continue;
            assertTrue(line.length() <= 100, line.length() + ": " + line);
        }
    }

    @Test
    void theSameFilesGiveTheSameBytes() throws IOException {
        var base = row(ONE, BASE);
        var candidate = row(ONE, TENTH_MORE);
        assertEquals(
                ComparisonJson.of(compare(base, candidate)),
                ComparisonJson.of(compare(base, candidate)));
    }

    @Test
    void jsonHasEveryNumberAndNullForNone() throws IOException {
        Comparison c = compare(row(ONE, 100, 101, 102), row(ONE, 100, 101, 102));
        JsonNode figure =
                new ObjectMapper()
                        .readTree(ComparisonJson.of(c))
                        .get("rows")
                        .get(0)
                        .get("figures")
                        .get(0);
        assertEquals("output_tok_s", figure.get("figure").asText());
        assertEquals(101, figure.get("base").asDouble());
        assertEquals("too_few", figure.get("verdict").asText());
        assertTrue(figure.get("detectable").isNull());
    }

    @Test
    void namesInFilesGetNoMarkupIntoPagesNorControlIntoTerminals() throws IOException {
        String evil = "<script>alert(1)</script>|\u001b[31m`x`";
        var base = row(Map.of("model", evil), BASE).row(Map.of("model", "b"), NO_FACTS, BASE);
        Comparison c = compare(base, base);
        assertFalse(ComparisonPage.of(c).contains("<script>alert"));
        assertFalse(MarkdownTable.of(c).contains("<script"));
        assertFalse(MarkdownTable.of(c).contains("</script>|"));
        assertFalse(TextTable.of(c).contains("\u001b"));
    }

    @Test
    void outputsGoToTheirFilesWholeAndToTheScreenForADash() throws IOException {
        Side side = side("base", row(ONE, BASE));
        Path html = folder.resolve("out.html");
        var options =
                new CompareOptions(
                        Set.of(),
                        OptionalDouble.empty(),
                        false,
                        Optional.of("-"),
                        Optional.of(folder.resolve("out.json").toString()),
                        Optional.of(html.toString()));
        assertTrue(shown(side, side, options).startsWith("**"));
        assertTrue(Files.readString(html).endsWith("</html>\n"));
        assertTrue(Files.readString(folder.resolve("out.json")).startsWith("{"));
        var nowhere = options(Optional.of(folder.resolve("none/out.md").toString()), false);
        var e = assertThrows(IOException.class, () -> shown(side, side, nowhere));
        assertTrue(e.getMessage().contains("give a file in a folder that exists"), e.getMessage());
    }

    private ResultFiles row(Map<String, String> params, double... forks) {
        return new ResultFiles().row(params, NO_FACTS, forks);
    }

    private Side side(String name, ResultFiles files) throws IOException {
        return Side.of(name, List.of(files.write(folder.resolve(name))));
    }

    private Comparison compare(ResultFiles base, ResultFiles candidate) throws IOException {
        return Comparison.of(side("base", base), side("candidate", candidate), Set.of());
    }

    private void writeMachine(String run, String cpu) throws IOException {
        Files.writeString(
                folder.resolve(run).resolve("run.json"),
                "{\"machine\":{\"cpu\":\"" + cpu + "\",\"cores\":2}}");
    }

    private void refused(Path file, String message) {
        var e = assertThrows(IOException.class, () -> Side.find(file.toString(), folder));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    private static CompareOptions gate(double ratio) {
        return new CompareOptions(
                Set.of(),
                OptionalDouble.of(ratio),
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static CompareOptions options(Optional<String> markdown, boolean force) {
        return new CompareOptions(
                Set.of(),
                OptionalDouble.empty(),
                force,
                markdown,
                Optional.empty(),
                Optional.empty());
    }

    private static String shown(Side base, Side candidate, CompareOptions options)
            throws IOException {
        var bytes = new ByteArrayOutputStream();
        Compare.run(base, candidate, options, new PrintStream(bytes));
        return bytes.toString();
    }

    private static PrintStream screen() {
        return new PrintStream(new ByteArrayOutputStream());
    }
}
