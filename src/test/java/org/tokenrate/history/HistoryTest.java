package org.tokenrate.history;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.compare.Figure;
import org.tokenrate.compare.ResultFiles;

class HistoryTest {
    private static final Map<String, String> ONE = Map.of("concurrency", "1");
    private static final Map<String, String> TEN = Map.of("concurrency", "10");
    private static final Map<String, String> NO_FACTS = Map.of();

    @TempDir Path folder;

    @Test
    void aStepOfOutputRateIsMarkedAtItsCommitWithItsSize() throws IOException {
        for (int i = 0; i < 20; i++) run(i, i < 12 ? 100 : 90);
        History h = history(EnumSet.of(Figure.OUTPUT_RATE));
        assertEquals(20, h.states().size());
        History.Found f = h.changes().get(0);
        assertEquals(1, h.changes().size());
        assertEquals("000000c", h.states().get(f.state()).name());
        assertEquals("000000b", h.states().get(f.stateBefore()).name());
        assertEquals(0.9 - 1, f.change().change(), 0.002);
        assertEquals("slower", f.line().word(f.change()));
        assertEquals(1, h.slowerAtTheEnd());
    }

    @Test
    void latenciesThatRiseAreSlowerToo() throws IOException {
        for (int i = 0; i < 20; i++) run(i, i < 10 ? 100 : 120);
        History h = history(EnumSet.allOf(Figure.class));
        for (History.Found f : h.changes()) {
            String expected = f.line().figure().higherIsBetter() ? "faster" : "slower";
            assertEquals(expected, f.line().word(f.change()));
        }
        assertEquals(Figure.values().length, h.changes().size());
        assertEquals(6, h.slowerAtTheEnd());
    }

    @Test
    void allRunsOfACommitAreOnePointOfAllForks() throws IOException {
        write("aaaaaaa", 1, new ResultFiles().row(ONE, NO_FACTS, 100, 102));
        write("aaaaaaa", 2, new ResultFiles().row(ONE, NO_FACTS, 104, 106, 150));
        Line line = history(EnumSet.of(Figure.RPM)).lines().get(0);
        assertEquals(1, line.points().size());
        Point p = line.points().get(0);
        assertEquals(5, p.forks());
        assertEquals(104, p.value());
        assertEquals(100, p.least());
        assertEquals(150, p.greatest());
        // Five forks hold their median with 1 - 2 / 2^5 = 0.9375 only.
        assertTrue(Double.isNaN(p.low()));
    }

    /** Of n = 6 the whole range (0.969), of 9 the second to the eighth (0.961), of 20 6 to 15. */
    @Test
    void theIntervalOfAMedianIsThatOfTheTables() {
        double[] twenty = new double[20];
        for (int i = 0; i < 20; i++) twenty[i] = 20 - i;
        Point six = Point.of(0, Arrays.copyOf(twenty, 6));
        assertEquals(List.of(15.0, 20.0), List.of(six.low(), six.high()));
        Point nine = Point.of(0, Arrays.copyOf(twenty, 9));
        assertEquals(List.of(13.0, 19.0), List.of(nine.low(), nine.high()));
        Point all = Point.of(0, twenty);
        assertEquals(List.of(6.0, 15.0), List.of(all.low(), all.high()));
    }

    @Test
    void anotherMachineIsAnotherLineAndNoChange() throws IOException {
        for (int i = 0; i < 24; i++) {
            Path file = run(i, i < 12 ? 100 : 200);
            String cpu = i < 12 ? "Old" : "New";
            Files.writeString(
                    file.resolveSibling("run.json"), "{\"machine\": {\"cpu\": \"" + cpu + "\"}}");
        }
        History h = history(EnumSet.of(Figure.OUTPUT_RATE));
        assertEquals(List.of(), h.changes());
        assertEquals(2, h.lines().size());
        assertEquals(List.of(new Row.Break(12, "cpu: New, before Old")), h.rows().get(0).breaks());
        assertEquals(0, h.slowerAtTheEnd());
    }

    @Test
    void machinesInTurnsAreTwoWholeLines() throws IOException {
        for (int i = 0; i < 24; i++) {
            Path file = run(i, (i % 2 == 0 ? 100 : 200) * (i < 12 ? 1 : 1.1));
            String cpu = i % 2 == 0 ? "A" : "B";
            Files.writeString(
                    file.resolveSibling("run.json"), "{\"machine\": {\"cpu\": \"" + cpu + "\"}}");
        }
        History h = history(EnumSet.of(Figure.OUTPUT_RATE));
        assertEquals(2, h.lines().size());
        assertEquals(
                List.of(12, 13), h.changes().stream().map(History.Found::state).sorted().toList());
    }

    @Test
    void aNewerLibraryIsTheCommitsOwnAndBreaksNoLine() throws IOException {
        for (int i = 0; i < 20; i++) {
            Path file = run(i, i < 10 ? 100 : 110);
            String version = i < 10 ? "1" : "2";
            Files.writeString(
                    file.resolveSibling("run.json"),
                    "{\"libraries\": {\"x\": \"" + version + "\"}}");
        }
        History h = history(EnumSet.of(Figure.OUTPUT_RATE));
        assertEquals(1, h.lines().size());
        assertEquals(1, h.changes().size());
    }

    @Test
    void brokenForeignAndFailedResultsAreNamedOnceAndTheRestIsShown() throws IOException {
        for (int i = 0; i < 10; i++) run(i, 100);
        Files.writeString(path("bad0001", 1), "[{\"benchmark\": ");
        Files.writeString(path("bad0002", 1), "{}");
        Files.writeString(path("bad0003", 1), "[" + "[".repeat(5000));
        Files.writeString(
                path("bad0004", 1),
                "[{\"benchmark\": \"a.RequestThroughputBenchmark.b\", \"primaryMetric\": {},"
                        + " \"secondaryMetrics\": {\"info.x=%ZZ\": {\"rawData\": 7}}}]");
        write("bad0005", 1, new ResultFiles().ofBenchmark("x.Other.y").row(ONE, NO_FACTS, 1));
        write(
                "bad0006",
                1,
                new ResultFiles().row(ONE, NO_FACTS, 100).with("failed", new double[][] {{3}}));
        var played = Map.of("device", "Software GPU (tests only, no timing), sm_80");
        write("bad0007", 1, new ResultFiles().row(ONE, played, 100));
        History h = history(EnumSet.of(Figure.RPM));
        assertEquals(10, h.lines().get(0).points().size());
        for (int i = 1; i <= 7; i++) {
            String name = "bad000" + i;
            long named = h.warnings().stream().filter(w -> w.contains(name + "/")).count();
            assertEquals(1, named, name + ": " + h.warnings());
        }
    }

    @Test
    void nothingToShowIsASentence() throws IOException {
        Path none = folder.resolve("none");
        var e = assertThrows(IOException.class, () -> history(none));
        assertTrue(e.getMessage().contains("is no folder; give"), e.getMessage());
        Files.createDirectories(none);
        e = assertThrows(IOException.class, () -> history(none));
        assertTrue(e.getMessage().contains("holds no COMMIT/START/jmh.json"), e.getMessage());
        run(1, 100);
        e = assertThrows(IOException.class, () -> history(Optional.of("fff")));
        assertTrue(e.getMessage().startsWith("'fff' is no commit in "), e.getMessage());
    }

    @Test
    void sinceLeavesOutWhatCameBefore() throws IOException {
        for (int i = 0; i < 20; i++) run(i, i < 10 ? 100 : 90);
        assertEquals(8, history(Optional.of("0000000")).slowerAtTheEnd() + 6);
        History h = history(Optional.of("000000a"));
        assertEquals(10, h.states().size());
        assertEquals(List.of(), h.changes());
    }

    @Test
    void allFormsSayTheSameAndNoNameGetsOutOfItsPlace() throws IOException {
        var evil = Map.of("concurrency", "</script><img src=x onerror=alert(1)>\u001b[31m");
        for (int i = 0; i < 20; i++) {
            double v = (i < 12 ? 100 : 90) * (1 + 0.001 * (i * 7 % 5));
            write(
                    "%07x".formatted(i),
                    i,
                    new ResultFiles().row(evil, NO_FACTS, v, v * 1.001).row(TEN, NO_FACTS, v, v));
        }
        History h = history(EnumSet.of(Figure.OUTPUT_RATE));
        String html = HistoryPage.of(h).html();
        assertFalse(html.contains("<img"), "markup of a name");
        String text = HistoryText.of(h, UTF_8);
        assertFalse(text.contains("\u001b"), "control characters of a name");
        assertTrue(text.contains("000000c"), text);
        assertTrue(text.contains("\u2502"), text);
        assertTrue(US_ASCII.newEncoder().canEncode(HistoryText.of(h, US_ASCII)));

        var json = new StringWriter();
        HistoryJson.write(h, json);
        JsonNode root = new ObjectMapper().readTree(json.toString());
        assertEquals(20, root.at("/states").size());
        assertEquals(20, root.at("/rows/0/lines/0/points").size());
        assertEquals("000000c", root.at("/rows/0/lines/0/changes/0/state").asText());
        assertEquals("000000b", root.at("/rows/0/lines/0/changes/0/state_before").asText());
        assertEquals("slower", root.at("/rows/0/lines/0/changes/0/verdict").asText());
        var csv = new StringWriter();
        HistoryCsv.write(h, csv);
        List<String> lines = csv.toString().lines().toList();
        assertEquals(1 + 2 * 20, lines.size());
        assertEquals(2, lines.stream().filter(l -> l.contains(",slower,")).count());
    }

    private Path run(int index, double value) throws IOException {
        double v = value * (1 + 0.001 * (index * 7 % 5));
        return write("%07x".formatted(index), index, new ResultFiles().row(ONE, NO_FACTS, v, v));
    }

    private Path write(String commit, int second, ResultFiles files) throws IOException {
        return files.write(path(commit, second).getParent());
    }

    private Path path(String commit, int second) throws IOException {
        Path run = folder.resolve("results/%s/20260101T0000%02dZ".formatted(commit, second));
        return Files.createDirectories(run).resolve("jmh.json");
    }

    private History history(Set<Figure> figures) throws IOException {
        return History.of(folder.resolve("results"), folder, figures, Optional.empty());
    }

    private History history(Path results) throws IOException {
        return History.of(results, folder, EnumSet.allOf(Figure.class), Optional.empty());
    }

    private History history(Optional<String> since) throws IOException {
        return History.of(folder.resolve("results"), folder, EnumSet.allOf(Figure.class), since);
    }
}
