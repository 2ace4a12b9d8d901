package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/** A short iteration of every part's benchmark through JMH, in one JVM. */
class MicrobenchmarksRunTest {
    /** The vector module, which forks get from {@code @Fork}. */
    private static final List<String> IN_FIRST_JVM =
            List.of("JDK_JAVA_OPTIONS=--add-modules jdk.incubator.vector");

    @TempDir Path folder;

    private Map<String, JsonNode> run(String arguments) throws Exception {
        String all = arguments + " -f 0 -wi 0 -i 1 -r 20ms";
        Cli cli = Cli.run(folder, IN_FIRST_JVM, all.split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        var results = new TreeMap<String, JsonNode>();
        Path json = Cli.runFolder(folder).resolve("jmh.json");
        for (JsonNode entry : new ObjectMapper().readTree(json.toFile())) {
            String name = entry.get("benchmark").asText();
            results.put(name.substring(name.lastIndexOf("bench.") + 6), entry);
            assertTrue(entry.at("/primaryMetric/score").asDouble() > 0, name);
        }
        return results;
    }

    private static double rate(JsonNode entry, String counter) {
        return entry.at("/secondaryMetrics/" + counter + "/score").asDouble();
    }

    @Test
    void partsOnADeviceGiveTheirRates() throws Exception {
        Map<String, JsonNode> results =
                run(
                        "Linear|Attention|NormRope|Sampling|PrefillB|DecodeB|StaticInference|ReadBandwidth"
                                + " -p engine=cpu:1 -p dtype=f32 -p model=builtin -p rows=2 -p weightsMb=1 -p matrix=output -p batch=2"
                                + " -p context=65 -p heads=4/2 -p headDim=32 -p kvMb=1 -p prompt=5 -p vocabulary=1000"
                                + " -p method=topK -p concurrency=2 -p promptTokens=4 -p completionTokens=3 -p mb=1");
        assertEquals(14, results.size(), results.keySet().toString());
        // A rate is the score times what an invocation counts.
        JsonNode linear = results.get("LinearBenchmark.device");
        double score = linear.at("/primaryMetric/score").asDouble();
        double flops = 2.0 * 2 * 512 * 512 / 1e9;
        assertEquals(flops * score, rate(linear, "gflop"), 1e-6 * flops * score);
        for (String name : List.of("LinearBenchmark.bare", "ReadBandwidthBenchmark.read")) {
            assertTrue(rate(results.get(name), "gb") > 0, name);
        }
        JsonNode served = results.get("StaticInferenceBenchmark.requests");
        assertTrue(rate(served, "first_token_mean") > 0, served.toString());
        assertTrue(rate(served, "generatedTokens") > 0, served.toString());
    }

    @Test
    void aWholeModelRunsOnRanks() throws Exception {
        Map<String, JsonNode> results =
                run(
                        "PrefillB|DecodeB -p engine=cpu -p dtype=f32 -p model=builtin -p tp=2 -p batch=2 -p context=65 -p prompt=5 -p work=model");
        assertEquals(2, results.size(), results.keySet().toString());
        assertTrue(rate(results.get("PrefillBenchmark.prefill"), "gflop") > 0);
        assertTrue(rate(results.get("DecodeBenchmark.decode"), "gb") > 0);
    }

    @Test
    void partsWithoutADeviceGiveTheirRates() throws Exception {
        Map<String, JsonNode> results =
                run(
                        "Scheduler|Harness|Tokenizer -p engine=simulated -p requests=3 -p numPrompts=3 -p concurrency=2 -p outputTokens=4 -p dialogues=2");
        assertEquals(6, results.size(), results.keySet().toString());
        assertTrue(rate(results.get("SchedulerBenchmark.schedule"), "iterations") > 0);
    }

    @Test
    void everyBenchmarkIsInTheReadme() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        var silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        Stream<String> names =
                BenchmarkList.defaultList().getAll(silent, List.of()).stream()
                        .map(b -> b.getUsername().replaceFirst(".*\\.(\\w+)\\.\\w+$", "$1"));
        assertEquals(
                List.of(),
                names.distinct().filter(n -> !readme.contains("`" + n + "`")).sorted().toList());
    }
}
