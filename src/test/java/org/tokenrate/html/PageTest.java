package org.tokenrate.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTest {
    private static final String EVIL = "</script><script>alert(1)</script>\u2028<img src=x>&'\"";
    private static final String DATA = "<script type=\"application/json\" id=\"charts\">";

    private static Chart chart(String name) {
        return Chart.of(
                Chart.Kind.LINES,
                "a-chart",
                name,
                Axis.ofNames(name, List.of(name, "b")),
                Axis.of(name, name),
                new double[] {0, 1},
                List.of(
                        Series.of(name, 0, new double[] {1234.5678, Double.NaN})
                                .within(new double[] {1, 2}, new double[] {3, 4})));
    }

    private static Page pageOf(String name) {
        var column = List.of(new Table.Column(name, true));
        var row = new Table.Row(Table.Look.PLAIN, List.of(Table.Cell.of(name)));
        return new Page(name)
                .heading(name)
                .paragraph(name)
                .warning(name)
                .table(new Table(name, column, List.of(row)))
                .charts(
                        List.of(
                                chart(name)
                                        .withNotes(List.of(name, name))
                                        .withMarks(List.of(new Mark(0, name)))));
    }

    @Test
    void namesFromFilesStayText() {
        String html = pageOf(EVIL).html();
        assertEquals(pageOf("x").html().split("<script").length, html.split("<script").length);
        assertEquals(pageOf("x").html().split("</script").length, html.split("</script").length);
        assertFalse(html.contains("<img"));
        assertFalse(html.contains("\u2028"));
    }

    @Test
    void chartsReachTheScriptAsTheyAre() throws IOException {
        JsonNode chart = data(pageOf(EVIL)).get(0);
        assertEquals(EVIL, chart.get("title").asText());
        assertEquals(EVIL, chart.get("series").get(0).get("name").asText());
        assertEquals("[1234.57,null]", chart.get("series").get(0).get("y").toString());
        assertEquals("[3,4]", chart.get("series").get(0).get("high").toString());
        assertEquals("[0,1]", chart.get("xs").toString());
    }

    @Test
    void thePolicyNamesNoAddress() {
        String html = pageOf("x").html();
        String policy = html.split("Content-Security-Policy\" content=\"")[1].split("\"")[0];
        assertTrue(policy.startsWith("default-src 'none'"), policy);
        assertEquals(4, policy.split("'sha256-").length - 1, policy);
        assertFalse(policy.contains("unsafe") || policy.contains("http"), policy);
    }

    @Test
    void aSeriesOfAnotherLengthIsRefused() {
        var axis = Axis.of("", "");
        var series = List.of(Series.of("s", 0, new double[] {1}));
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                Chart.of(
                                        Chart.Kind.LINES,
                                        "c",
                                        "",
                                        axis,
                                        axis,
                                        new double[2],
                                        series));
        assertEquals("series s has 1 values, the chart c has 2 x", e.getMessage());
    }

    @Test
    void aFileThatCannotBeWrittenIsNamed(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("none/page.html");
        var e = assertThrows(IOException.class, () -> new Page("x").write(file));
        assertTrue(e.getMessage().startsWith("cannot write " + file), e.getMessage());
        pageOf("x").write(folder.resolve("page.html"));
        assertEquals(pageOf("x").html(), Files.readString(folder.resolve("page.html")));
    }

    private static JsonNode data(Page page) throws IOException {
        String json = page.html().split(DATA)[1].split("</script>")[0];
        return new ObjectMapper().readTree(json);
    }
}
