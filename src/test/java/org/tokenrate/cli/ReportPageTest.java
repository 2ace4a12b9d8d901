package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.metrics.BinnedRun;
import org.tokenrate.report.BinnedFile;
import org.tokenrate.report.EngineFile;
import org.tokenrate.workload.EngineSample;
import org.tokenrate.workload.RequestRecords;

/** The page of a real run, opened in a real browser; what it shows is held against the CSV. */
class ReportPageTest {
    private static final String FIRST_CHART = "document.getElementById('output-rate')";

    @TempDir static Path folder;
    private static Path run;
    private static Path page;
    private static Optional<Chromium> chromium = Optional.empty();

    @BeforeAll
    static void runOnce() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        "RequestThroughput -p engine=simulated:5ms:1ms,cpu -p concurrency=1,4 -p numPrompts=4 -f 1 -wi 0 -i 2"
                                .split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        run = Cli.runFolder(folder);
        page = report(run, "report.html");
        if (Chromium.binary().isEmpty()) return;
        chromium = Optional.of(Chromium.start(Chromium.binary().get()));
    }

    @AfterAll
    static void close() throws Exception {
        if (chromium.isPresent()) chromium.get().close();
    }

    private static Path report(Path result, String name) throws Exception {
        Path file = folder.resolve(name);
        Cli cli = Cli.run(folder, "report", result.toString(), "-o", file.toString());
        assertEquals(0, cli.status(), cli.err());
        assertEquals("wrote " + file + "\n", cli.out());
        return file;
    }

    private static Chromium open(Path file) throws Exception {
        assumeTrue(chromium.isPresent(), "Chromium is not installed: pages are not looked at");
        chromium.get().call("Emulation.clearDeviceMetricsOverride", Map.of());
        chromium.get().call("Emulation.setEmulatedMedia", Map.of("features", List.of()));
        chromium.get().open(file);
        return chromium.get();
    }

    @Test
    void itIsSilentAndAsksNoNetwork() throws Exception {
        Chromium browser = open(page);
        assertEquals(List.of(), browser.events("Runtime.consoleAPICalled"));
        assertEquals(List.of(), browser.events("Runtime.exceptionThrown"));
        assertEquals(List.of(), browser.events("Log.entryAdded"));
        for (JsonNode request : browser.events("Network.requestWillBeSent")) {
            String url = request.at("/params/request/url").asText();
            assertTrue(url.equals(page.toUri().toString()) || url.startsWith("data:"), url);
        }
        assertTrue(browser.evaluate("document.querySelectorAll('canvas').length").asInt() >= 9);
    }

    @Test
    void theTableShowsTheFiguresOfTheCsv() throws Exception {
        Chromium browser = open(page);
        JsonNode cells =
                browser.evaluate(
                        "[...document.querySelectorAll('table.sortable tbody tr')].map(r => [...r.cells].map(c => c.dataset.v ?? c.textContent))");
        List<String> heads = new ArrayList<>();
        browser.evaluate(
                        "[...document.querySelectorAll('table.sortable th')].map(h => h.textContent)")
                .forEach(h -> heads.add(h.asText()));
        List<Map<String, String>> rows = csv(run.resolve("throughput.csv"));
        assertEquals(rows.size(), cells.size());
        Map<String, String> columns =
                Map.of(
                        "output tok/s", "output_tok_s",
                        "\u00b1 95 %", "output_tok_s_ci95",
                        "RPM", "rpm",
                        "ITL p99", "itl_p99_s",
                        "E2E p50", "e2e_p50_s",
                        "generated tokens", "generated_tokens");
        for (int i = 0; i < rows.size(); i++) {
            for (var column : columns.entrySet()) {
                double expected = Double.parseDouble(rows.get(i).get(column.getValue()));
                double shown = cells.get(i).get(heads.indexOf(column.getKey())).asDouble();
                assertEquals(expected, shown, 1e-7 * expected, column.getKey());
            }
        }
    }

    @Test
    void aChartShowsTheValueUnderThePointerAndUnderTheFinger() throws Exception {
        Chromium browser = open(page);
        String expected = fiveDigits(csv(run.resolve("throughput.csv")).get(0).get("output_tok_s"));
        JsonNode at = place(browser);
        browser.call(
                "Input.dispatchMouseEvent",
                Map.of("type", "mouseMoved", "x", at.get(0).asInt(), "y", at.get(1).asInt()));
        String tip = tip(browser);
        assertTrue(tip.startsWith("concurrency 1"), tip);
        assertTrue(tip.contains(expected) && tip.contains("(95 %: "), tip + " lacks " + expected);

        open(page);
        browser.call("Emulation.setTouchEmulationEnabled", Map.of("enabled", true));
        at = place(browser);
        browser.call(
                "Input.synthesizeTapGesture",
                Map.of(
                        "x",
                        at.get(0).asInt(),
                        "y",
                        at.get(1).asInt(),
                        "gestureSourceType",
                        "touch"));
        browser.call("Emulation.setTouchEmulationEnabled", Map.of("enabled", false));
        tip = tip(browser);
        assertTrue(tip.contains(expected), "touched: '" + tip + "' lacks " + expected);
    }

    @Test
    void arrowKeysReadAChart() throws Exception {
        Chromium browser = open(page);
        browser.evaluate(FIRST_CHART + ".querySelector('.plot').focus()");
        for (String type : List.of("keyDown", "keyUp")) {
            browser.call("Input.dispatchKeyEvent", Map.of("type", type, "key", "ArrowLeft"));
        }
        assertTrue(tip(browser).startsWith("concurrency 4"), tip(browser));
        assertEquals(
                browser.evaluate(FIRST_CHART + ".querySelector('.tip').innerText"),
                browser.evaluate(FIRST_CHART + ".querySelector('[aria-live]').textContent"));
    }

    @Test
    void darkFollowsTheSystemAndTheSwitch() throws Exception {
        Chromium browser = open(page);
        assertTrue(brightness(browser) > 200);
        browser.evaluate("document.getElementById('theme').click()");
        assertTrue(brightness(browser) < 60);
        browser.call(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
        browser.open(page);
        assertTrue(brightness(browser) < 60);
        browser.evaluate("document.getElementById('theme').click()");
        assertTrue(brightness(browser) > 200);
    }

    @Test
    void aPhoneNeedNotScrollSideways() throws Exception {
        Chromium browser = open(page);
        browser.call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", 360, "height", 740, "deviceScaleFactor", 3, "mobile", true));
        browser.open(page);
        assertEquals(360, browser.evaluate("innerWidth").asInt());
        assertEquals(360, browser.evaluate("document.documentElement.scrollWidth").asInt());
        assertTrue(
                browser.evaluate(
                                "document.querySelector('.wide').scrollWidth > document.querySelector('.wide').clientWidth")
                        .asBoolean());
    }

    @Test
    void aClickSortsTheTable() throws Exception {
        Chromium browser = open(page);
        String column =
                "[...document.querySelectorAll('table.sortable th')].findIndex(h => h.textContent === 'RPM')";
        browser.evaluate(
                "document.querySelectorAll('table.sortable th button')[" + column + "].click()");
        var shown = new ArrayList<Double>();
        browser.evaluate(
                        "[...document.querySelectorAll('table.sortable tbody tr')].map(r => +r.cells["
                                + column
                                + "].dataset.v)")
                .forEach(v -> shown.add(v.asDouble()));
        assertEquals(4, shown.size());
        assertEquals(shown.stream().sorted().toList(), shown);
    }

    @Test
    void aChartIsSavedAsCsvAndAsPng() throws Exception {
        Chromium browser = open(page);
        Path downloads = Files.createDirectories(folder.resolve("downloads"));
        browser.call(
                "Page.setDownloadBehavior",
                Map.of("behavior", "allow", "downloadPath", downloads.toString()));
        browser.evaluate(FIRST_CHART + ".querySelectorAll('figcaption button')[1].click()");
        List<Map<String, String>> saved = csv(await(downloads.resolve("output-rate.csv")));
        assertEquals(List.of("1", "4"), saved.stream().map(r -> r.get("concurrency")).toList());
        for (Map<String, String> row : csv(run.resolve("throughput.csv"))) {
            int line = row.get("concurrency").equals("1") ? 0 : 1;
            String engine =
                    row.get("engine").equals("cpu")
                            ? "cpu"
                            : "simulated:5ms:1ms (not a real device)";
            double expected = Double.parseDouble(row.get("output_tok_s"));
            double half = Double.parseDouble(row.get("output_tok_s_ci95"));
            Map<String, String> shown = saved.get(line);
            String name = "engine=" + engine;
            assertEquals(expected, Double.parseDouble(shown.get(name)), 1e-5 * expected);
            assertEquals(
                    expected + half,
                    Double.parseDouble(shown.get(name + " high")),
                    1e-4 * expected);
        }

        browser.evaluate(FIRST_CHART + ".querySelectorAll('figcaption button')[0].click()");
        BufferedImage image = ImageIO.read(await(downloads.resolve("output-rate.png")).toFile());
        long colors =
                Stream.iterate(0, x -> x < image.getWidth(), x -> x + 1)
                        .flatMap(x -> Stream.of(image.getRGB(x, image.getHeight() / 2)))
                        .distinct()
                        .count();
        assertTrue(image.getWidth() > 200 && colors > 3, image + ", " + colors + " colours");
    }

    @Test
    void hostileNamesStayNames() throws Exception {
        String evil = "</script><img src=x onerror=hacked=1><script>hacked=1</script>";
        Path hostile = Files.createDirectories(folder.resolve("hostile"));
        String json = Files.readString(run.resolve("jmh.json"));
        Files.writeString(
                hostile.resolve("jmh.json"),
                json.replace("\"simulated:5ms:1ms\"", "\"" + evil + "\"")
                        .replace("info.combination=", "info.combination=..%2F..%2F..%2Fetc%2Fx"));
        Path file = report(hostile, "hostile.html");
        assertTrue(Files.readString(file).contains("is no name of a request file"));
        Chromium browser = open(file);
        assertEquals("undefined", browser.evaluate("typeof hacked").asText());
        assertEquals(0, browser.evaluate("document.images.length").asInt());
        assertEquals(List.of(), browser.events("Log.entryAdded"));
        assertTrue(
                browser.evaluate("document.getElementById('output-rate').textContent")
                        .asText()
                        .contains(evil));
    }

    @Test
    void whatStandsBesideARequestFileFollowsFromIt() throws IOException {
        int seen = 0;
        try (Stream<Path> files = Files.list(run)) {
            for (Path raw : files.filter(f -> f.toString().endsWith(".jsonl")).toList()) {
                String name = raw.toString().replaceFirst("\\.jsonl$", ".binned.json");
                BinnedRun beside = BinnedFile.read(Path.of(name));
                BinnedRun again = BinnedRun.of(RequestRecords.read(raw));
                assertEquals(again.ttft(), beside.ttft());
                assertEquals(again.itl(), beside.itl());
                assertEquals(again.tpot(), beside.tpot());
                assertEquals(again.e2e(), beside.e2e());
                assertArrayEquals(again.tokens().amounts(), beside.tokens().amounts());
                assertArrayEquals(again.inFlight().amounts(), beside.inFlight().amounts());
                seen++;
            }
        }
        assertEquals(8, seen);
    }

    @Test
    void theSamePageComesFromTheRequestFilesAlone() throws Exception {
        Path copy = folder.resolve("old/" + run.getFileName());
        Files.createDirectories(copy);
        try (Stream<Path> files = Files.list(run)) {
            for (Path f : files.toList()) {
                if (f.toString().endsWith(".binned.json")) continue;
                Files.copy(f, copy.resolve(f.getFileName()));
            }
        }
        String old = Files.readString(report(copy, "old.html"));
        assertEquals(charts(Files.readString(page)), charts(old));
    }

    @Test
    void anEngineWithAPoolLeavesItsCounters() throws IOException {
        Map<String, String> row =
                csv(run.resolve("throughput.csv")).stream()
                        .filter(
                                r ->
                                        r.get("engine").equals("cpu")
                                                && r.get("concurrency").equals("4"))
                        .findFirst()
                        .orElseThrow();
        List<Path> files;
        try (Stream<Path> all = Files.list(run)) {
            files = all.filter(f -> f.toString().endsWith(".engine.csv")).toList();
        }
        assertEquals(4, files.size());
        long most = 0;
        for (Path f : files) {
            List<EngineSample> samples = EngineFile.read(f);
            assertTrue(samples.size() >= 3, f + " has " + samples.size());
            for (EngineSample s : samples) most = Math.max(most, s.counters().kvBlocksInUse());
        }
        long peak = Long.parseLong(row.get("kv_blocks_peak"));
        assertTrue(most > 0 && most <= peak, most + " of " + peak);
        assertTrue(Files.readString(page).contains("kv-blocks-over-time"));
    }

    @Test
    void thePageSaysWhatIsNotAsItShouldBe() throws Exception {
        Path odd = Files.createDirectories(folder.resolve("odd/run"));
        String record = Files.readString(run.resolve("run.json"));
        Files.writeString(
                odd.resolve("run.json"),
                record.replace("\"finished\",\n", "\"interrupted\",\n")
                        .replace("\"status\" : \"finished\"", "\"status\" : \"interrupted\""));
        var mapper = new ObjectMapper();
        var results = (ArrayNode) mapper.readTree(run.resolve("jmh.json").toFile());
        JsonNode gone = results.remove(0).path("params");
        mapper.writeValue(odd.resolve("jmh.json").toFile(), results);
        String html = Files.readString(report(odd, "odd.html"));
        assertTrue(html.contains("INTERRUPTED: odd/run was interrupted."));
        assertTrue(html.contains("MISSING ROWS: 1 of the 4 parameter combinations of odd/run"));
        assertTrue(
                html.contains(
                        "concurrency=%s, engine=%s: not measured"
                                .formatted(
                                        gone.path("concurrency").asText(),
                                        gone.path("engine").asText())));
        assertTrue(html.contains("NOT A REAL DEVICE: the times of"));
        assertFalse(Files.readString(page).contains("MISSING ROWS"));
    }

    private static String charts(String html) {
        return html.split("id=\"charts\">")[1].split("</script>")[0];
    }

    /** A place in the first chart near its first x. */
    private static JsonNode place(Chromium browser) throws Exception {
        browser.evaluate(FIRST_CHART + ".scrollIntoView({block: 'center'})");
        browser.drawn();
        return browser.evaluate(
                "(r => [Math.round(r.left + 12), Math.round(r.top + r.height / 2)])("
                        + FIRST_CHART
                        + ".querySelector('.u-over').getBoundingClientRect())");
    }

    private static String tip(Chromium browser) throws Exception {
        browser.drawn();
        return browser.evaluate(
                        FIRST_CHART + ".querySelector('.tip:not([hidden])')?.innerText ?? ''")
                .asText();
    }

    private static int brightness(Chromium browser) throws Exception {
        return browser.evaluate("+getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
                .asInt();
    }

    private static Path await(Path file) throws Exception {
        for (int i = 0; !Files.exists(file); i++) {
            if (i > 300) throw new IOException(file + " was not saved");
            Thread.sleep(100);
        }
        return file;
    }

    /** As people write it: 1,234.5. */
    private static String fiveDigits(String number) {
        var rounded = new BigDecimal(number).round(new MathContext(5)).stripTrailingZeros();
        return String.format(Locale.ROOT, "%,." + Math.max(0, rounded.scale()) + "f", rounded);
    }

    private static List<Map<String, String>> csv(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        String comma = ",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)";
        String[] header = lines.get(0).split(comma, -1);
        var rows = new ArrayList<Map<String, String>>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split(comma, -1);
            var row = new LinkedHashMap<String, String>();
            for (int i = 0; i < header.length; i++) row.put(header[i], fields[i]);
            rows.add(row);
        }
        return rows;
    }
}
