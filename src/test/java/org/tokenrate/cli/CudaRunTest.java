package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;
import org.tokenrate.softgpu.SoftGpu;

/** The benchmark itself with {@code engine=cuda}, through JMH, on the software GPU. */
class CudaRunTest {
    private static final String NAME = "Software GPU (tests only, no timing)";

    /** Of the built-in tokenizer, which a model without one of its own gets. */
    private static final int VOCABULARY = 4096;

    @TempDir Path folder;

    @BeforeAll
    static void theSoftwareGpuIsHere() {
        SoftGpu.assumeHere();
    }

    private Cli benchmark(SoftGpu gpu, String more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("RequestThroughput"));
        arguments.addAll(List.of("-p", "model=" + model(), "-p", "dataset=" + dataset()));
        arguments.addAll(List.of("-p", "engine=cuda", "-p", "dtype=f16", "-p", "cacheCount=0.05"));
        arguments.addAll(List.of(more.split(" ")));
        return run(gpu, arguments);
    }

    private Cli run(SoftGpu gpu, List<String> arguments) throws IOException, InterruptedException {
        Map<String, String> environment = new TreeMap<>(gpu.environment(report()));
        environment.put("XDG_CACHE_HOME", gpu.libraries().resolve("cache").toString());
        List<String> variables =
                environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
        return Cli.run(folder, variables, arguments.toArray(String[]::new));
    }

    private String model() throws IOException {
        var config = RandomModel.llama(64, 1, 4, 2, 64, 96, VOCABULARY, true);
        Path file = folder.resolve("config.json");
        return "random:" + Files.writeString(file, HfFolder.config(config).toString());
    }

    private String dataset() throws IOException {
        return FewDialogues.write(folder).toString();
    }

    private Path report() {
        return folder.resolve("softgpu-report.txt");
    }

    private List<Map<String, String>> rows() throws IOException {
        List<String> lines = Files.readAllLines(Cli.runFolder(folder).resolve("throughput.csv"));
        List<Map<String, String>> rows = new ArrayList<>();
        // The device's name is quoted, for it has commas.
        String[] names = lines.get(0).split(",");
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1);
            Map<String, String> row = new TreeMap<>();
            for (int i = 0; i < names.length; i++) row.put(names[i], fields[i]);
            rows.add(row);
        }
        return rows;
    }

    @Test
    void aRunLeavesItsFilesAndTheDeviceSaysThatItIsNone() throws Exception {
        Cli cli =
                benchmark(
                        SoftGpu.build().devices(2).check(SoftGpu.Check.FAST),
                        "-p tp=1,2 -p numPrompts=4 -p concurrency=2 -f 1 -wi 1 -i 1");
        assertEquals(0, cli.status(), cli.out() + cli.err());
        assertFalse(Files.exists(report()), "the software GPU reports something");
        List<Map<String, String>> rows = rows();
        assertEquals(2, rows.size());
        for (Map<String, String> row : rows) {
            assertTrue(row.get("device").contains(NAME), row.toString());
            assertEquals("cuda", row.get("engine"));
            assertEquals("f16", row.get("dtype"));
            assertEquals("0", row.get("failed"));
            assertTrue(Double.parseDouble(row.get("generated_tokens")) > 0, row.toString());
            assertTrue(Long.parseLong(row.get("kv_blocks")) > 0, row.toString());
        }
        assertEquals("2", rows.get(1).get("tp"));
        assertEquals(rows.get(0).get("generated_tokens"), rows.get(1).get("generated_tokens"));
        assertTrue(cli.out().contains("\nNOT A REAL DEVICE: times of the software GPU"), cli.out());
        noTimesAreGivenAsAGpus(Cli.runFolder(folder));
    }

    private void noTimesAreGivenAsAGpus(Path run) throws Exception {
        Path page = folder.resolve("report.html");
        Cli report = Cli.run(folder, "report", run.toString(), "-o", page.toString());
        assertEquals(0, report.status(), report.err());
        String html = Files.readString(page);
        String warning =
                "NOT A REAL DEVICE: the times of this report are those of the engine cuda on "
                        + NAME;
        assertTrue(html.contains(warning), html);
        assertTrue(html.contains("s times. Most tokens of 2 rows"), html);
        assertTrue(html.contains("not real: " + NAME), html);

        Cli compare = Cli.run(folder, "compare", run.toString(), run.toString(), "--force");
        assertEquals(2, compare.status(), compare.out() + compare.err());
        assertTrue(compare.err().contains("the base was measured on " + NAME), compare.err());
        assertEquals("", compare.out());

        Cli history = Cli.run(folder, "history");
        assertEquals(2, history.status(), history.out() + history.err());
        assertTrue(history.err().contains("the software GPU's times are a CPU's"), history.err());
        assertEquals("", history.out());
    }

    /** LMDeploy's CSV could not say whose times they are. */
    @Test
    void lmdeploysCsvIsNotWritten() throws Exception {
        Path csv = folder.resolve("profile.csv");
        List<String> arguments = new ArrayList<>(List.of("profile-throughput", dataset(), model()));
        arguments.addAll(List.of("--engine", "cuda", "--warmup", "0", "--csv", csv.toString()));
        arguments.addAll(List.of("--num-prompts", "2", "--concurrency", "2"));
        arguments.addAll(List.of("--cache-count", "0.05"));
        Cli cli = run(SoftGpu.build().check(SoftGpu.Check.OFF), arguments);
        assertEquals(1, cli.status(), cli.out() + cli.err());
        assertTrue(cli.err().contains("no summary and no CSV: the software GPU"), cli.err());
        assertFalse(cli.out().contains("token throughput"), cli.out());
        assertFalse(Files.exists(csv));
    }

    @Test
    void aDeviceThatIsLostInTheMiddleFailsTheRequestsAndTheFilesAreWritten() throws Exception {
        Cli cli =
                benchmark(
                        SoftGpu.build().check(SoftGpu.Check.FAST).fail("lost:400"),
                        "-p numPrompts=6 -p concurrency=2 -f 1 -wi 0 -i 1");
        String said = cli.out() + cli.err();
        assertEquals(1, cli.status(), said);
        assertTrue(said.contains("FAILED REQUESTS: "), said);
        assertTrue(said.contains("the GPU has stopped working"), said);
        assertTrue(Long.parseLong(rows().get(0).get("failed")) > 0);
    }
}
