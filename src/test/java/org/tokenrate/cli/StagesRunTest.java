package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.engine.Stage;

/** {@code -prof stages} from the command line to the files. */
class StagesRunTest {
    @TempDir static Path folder;
    private static Cli cli;
    private static Path run;

    @BeforeAll
    static void runOnce() throws Exception {
        cli =
                Cli.run(
                        folder,
                        "RequestThroughput -p engine=cpu,simulated:1ms:1ms -p dataset=output:64 -p numPrompts=6 -p concurrency=3 -p cacheCount=0.1 -f 1 -wi 1 -i 2 -prof stages"
                                .split(" "));
        run = Cli.runFolder(folder);
    }

    @Test
    void theRunEndsWithATableOfTheStages() {
        assertEquals(0, cli.status(), cli.out() + cli.err());
        assertEquals("", cli.err());
        String table = cli.out().substring(cli.out().indexOf("Where the time went"));
        List<String> lines = table.lines().map(String::strip).toList();
        assertTrue(
                lines.get(2)
                        .matches(
                                "engine +% of time +iterations +ms each +schedule +embed +norm +qkv"
                                        + " +rope +attention +output +mlp +head +sample +deliver"),
                table);
        assertTrue(lines.get(3).startsWith("cpu  prefill"), table);
        assertTrue(lines.get(4).startsWith("cpu   decode"), table);
        assertTrue(lines.get(5).startsWith("cpu     idle"), table);
        assertEquals("", lines.get(6), "a row of an engine that takes no times");
    }

    @Test
    void theStagesOfEveryIterationAddUpToItsDuration() throws Exception {
        List<String> lines = Files.readAllLines(run.resolve("iterations.csv"));
        List<String> header = Arrays.asList(lines.get(0).split(",", -1));
        for (String line : lines.subList(1, 3)) {
            String[] row = fields(line);
            double duration = Double.parseDouble(row[header.indexOf("duration_s")]);
            double sum = 0;
            double prefill = 0;
            for (Stage s : Stage.values()) {
                sum += Double.parseDouble(row[header.indexOf("stage_" + s.label() + "_s")]);
                int column = header.indexOf("stage_" + s.label() + "_prefill_s");
                if (column >= 0) prefill += Double.parseDouble(row[column]);
            }
            // Beside the first submit and the last finish lie the moments of starting and hearing.
            assertEquals(duration, sum, 0.01 * duration + 0.01);
            assertTrue(sum >= duration, sum + " < " + duration);
            assertTrue(prefill > 0 && prefill < sum, prefill + " of " + sum);
            assertTrue(Double.parseDouble(row[header.indexOf("prefill_iterations")]) > 0);
            assertTrue(Double.parseDouble(row[header.indexOf("decode_iterations")]) >= 63);
        }
    }

    @Test
    void anEngineThatTakesNoTimesHasEmptyColumns() throws Exception {
        List<String> lines = Files.readAllLines(run.resolve("throughput.csv"));
        List<String> header = Arrays.asList(lines.get(0).split(",", -1));
        String[] simulated = fields(lines.get(2));
        int first = header.indexOf("prefill_iterations");
        for (int i = first; i < simulated.length; i++) assertEquals("", simulated[i]);
        assertEquals("missing", header.get(header.size() - 1));
        assertEquals("cuda_graphs", header.get(first - 1));
    }

    @Test
    void theCsvIsMadeAgainByteForByte() throws Exception {
        Path again = Files.createDirectory(folder.resolve("again"));
        Cli csv = Cli.run(folder, "csv", run.resolve("jmh.json").toString(), "-o", "again");
        assertEquals(0, csv.status(), csv.err());
        for (String file : List.of("throughput.csv", "iterations.csv")) {
            assertArrayEquals(
                    Files.readAllBytes(run.resolve(file)),
                    Files.readAllBytes(again.resolve(file)),
                    file);
        }
    }

    /** The device's name has commas, in quotes. */
    private static String[] fields(String line) {
        return line.replaceAll("\"[^\"]*\"", "quoted").split(",", -1);
    }
}
