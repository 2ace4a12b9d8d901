package org.tokenrate.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On the json of a real run: {@code RequestThroughput -p engine=simulated:5ms:1ms -p
 * concurrency=1,4 -p numPrompts=6 -f 2 -i 2}, with its paths made neutral.
 */
class ThroughputCsvTest {
    @TempDir Path folder;
    private Path json;

    @BeforeEach
    void copyTheRecordedRun() throws IOException {
        json = folder.resolve("jmh.json");
        try (InputStream in = ThroughputCsvTest.class.getResourceAsStream("jmh.json")) {
            Files.copy(in, json);
        }
    }

    @Test
    void theFirstColumnsAreThoseThatReadersRelyOn() throws IOException {
        ThroughputCsv.write(json, folder);
        String header = Files.readAllLines(folder.resolve("throughput.csv")).get(0);
        String latencies =
                "%1$s_mean_s,%1$s_min_s,%1$s_max_s,%1$s_p50_s,%1$s_p75_s,%1$s_p95_s,%1$s_p99_s,";
        String expected =
                "engine,device,model,model_format,dtype,tp,concurrency,num_prompts,seed,iterations,"
                        + "failed,duration_s,prompt_tokens,generated_tokens,rps,rpm,output_tok_s,"
                        + "total_tok_s,"
                        + latencies.formatted("ttft")
                        + latencies.formatted("itl")
                        + latencies.formatted("tpot")
                        + latencies.formatted("e2e")
                        + "rpm_ci95,output_tok_s_ci95,";
        assertEquals(expected, header.substring(0, expected.length()));
    }

    /**
     * Expected values were worked out from the file's rawData with Python, apart from this code.
     */
    @Test
    void aRowSumsUpTheIterationsOfAllForks() throws IOException {
        ThroughputCsv.write(json, folder);
        Map<String, String> row = rows("throughput.csv").get(1);
        assertEquals("simulated:5ms:1ms", row.get("engine"));
        assertEquals("simulated (no device)", row.get("device"));
        assertEquals("4", row.get("concurrency"));
        assertEquals("6", row.get("num_prompts"));
        assertEquals("4", row.get("iterations"));
        assertEquals("2", row.get("forks"));
        assertEquals("0", row.get("failed"));
        assertEquals("396", row.get("generated_tokens"));
        assertEquals("0.166479061", row.get("duration_s"));
        assertEquals("2163.46149", row.get("rpm"));
        assertEquals("2379.80764", row.get("output_tok_s"));
        assertEquals("0.00594692639", row.get("ttft_p99_s"));
        assertEquals("0.005001941", row.get("ttft_min_s"));
        assertEquals("0.008555115", row.get("ttft_max_s"));
        // t(0.975, 3) = 3.18244630 times s / sqrt(4)
        assertEquals("86.3055472", row.get("rpm_ci95"));
        assertEquals("", row.get("kv_blocks"));
    }

    @Test
    void anIterationIsARowWithTheNameOfItsRequestsFile() throws IOException {
        ThroughputCsv.write(json, folder);
        List<Map<String, String>> rows = rows("iterations.csv");
        assertEquals(8, rows.size());
        Map<String, String> row = rows.get(6);
        assertEquals("2147.47672", row.get("rpm"));
        assertEquals("0.167638604", row.get("duration_s"));
        assertEquals("", row.get("rpm_ci95"));
        assertEquals("2", row.get("fork"));
        assertEquals("1", row.get("iteration"));
        assertEquals("requests-concurrency=4-2-1.jsonl", row.get("requests_file"));
    }

    @Test
    void theSameJsonGivesTheSameBytesInAnyLocale() throws IOException {
        ThroughputCsv.write(json, folder);
        String throughput = Files.readString(folder.resolve("throughput.csv"));
        String iterations = Files.readString(folder.resolve("iterations.csv"));
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            ThroughputCsv.write(json, folder);
        } finally {
            Locale.setDefault(before);
        }
        assertEquals(throughput, Files.readString(folder.resolve("throughput.csv")));
        assertEquals(iterations, Files.readString(folder.resolve("iterations.csv")));
    }

    @Test
    void aTimeThatNoIterationHasIsEmpty() throws IOException {
        JsonNode all = new ObjectMapper().readTree(json.toFile());
        var ttft = (ObjectNode) all.get(0).get("secondaryMetrics").get("ttft_p50_s");
        ttft.set("rawData", new ObjectMapper().readTree("[[\"NaN\",\"NaN\"],[\"NaN\",\"NaN\"]]"));
        Files.writeString(json, all.toString());
        ThroughputCsv.write(json, folder);
        assertEquals("", rows("throughput.csv").get(0).get("ttft_p50_s"));
    }

    @Test
    void anotherBenchmarksResultsGiveNoCsv() throws IOException {
        Files.writeString(json, Files.readString(json).replace("RequestThroughputB", "HarnessB"));
        assertEquals(List.of(), ThroughputCsv.write(json, folder));
        assertTrue(Files.notExists(folder.resolve("throughput.csv")));
    }

    @Test
    void aMissingMetricIsNamed() throws IOException {
        Files.writeString(json, Files.readString(json).replace("\"tpot_p95_s\"", "\"other\""));
        assertEquals(
                json
                        + ": org.tokenrate.bench.RequestThroughputBenchmark.requests has no"
                        + " tpot_p95_s; it was not run through benchmarks.jar, or by another"
                        + " version of it",
                assertThrows(IOException.class, () -> ThroughputCsv.write(json, folder))
                        .getMessage());
    }

    @Test
    void whatIsNotJmhsJsonIsRefusedWithThePlace() throws IOException {
        refuses("", " is not JMH's json: that is an array of results");
        refuses("[]", " holds no result");
        refuses("{\"a\":1}", " is not JMH's json: that is an array of results");
        refuses(
                "[{\"a\":1}]",
                " is not JMH's json: entry 0 has no benchmark name or no primaryMetric");
        Files.writeString(json, "[\n  {\"a\": oops}\n]");
        String message = assertThrows(IOException.class, () -> JmhJson.read(json)).getMessage();
        assertTrue(message.startsWith(json + " is not JSON: line 2, column "), message);
        Path missing = folder.resolve("missing.json");
        assertEquals(
                missing + " is not a file; give the jmh.json of a run",
                assertThrows(IOException.class, () -> JmhJson.read(missing)).getMessage());
    }

    private void refuses(String text, String message) throws IOException {
        Files.writeString(json, text);
        assertEquals(
                json + message,
                assertThrows(IOException.class, () -> JmhJson.read(json)).getMessage());
    }

    /** Rows by column; none of the recorded fields has a comma. */
    private List<Map<String, String>> rows(String file) throws IOException {
        List<String> lines = Files.readAllLines(folder.resolve(file));
        String[] header = lines.get(0).split(",", -1);
        return lines.stream()
                .skip(1)
                .map(
                        line -> {
                            String[] fields = line.split(",", -1);
                            assertEquals(header.length, fields.length, line);
                            Map<String, String> row = new LinkedHashMap<>();
                            for (int i = 0; i < fields.length; i++) row.put(header[i], fields[i]);
                            return row;
                        })
                .toList();
    }
}
