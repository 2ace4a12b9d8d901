package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tensor parallelism from the command line. */
class RanksRunTest {
    @TempDir Path folder;

    @Test
    void aSweepOfRanksDoesTheSameWorkOnEach() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        "RequestThroughput -p engine=cpu -p tp=1,2,4 -p dataset=output:64 -p numPrompts=4 -p concurrency=4 -p cacheCount=0.1 -f 1 -wi 0 -i 1"
                                .split(" "));
        assertEquals(0, cli.status(), cli.out() + cli.err());
        List<String> lines = Files.readAllLines(Cli.runFolder(folder).resolve("throughput.csv"));
        List<String> header = Arrays.asList(lines.get(0).split(",", -1));
        assertEquals(4, lines.size(), "rows of three combinations");
        assertEquals(List.of("1", "2", "4"), column(lines, header.indexOf("tp")));
        assertEquals(List.of("0", "0", "0"), column(lines, header.indexOf("failed")));
        for (String same : List.of("prompt_tokens", "generated_tokens")) {
            assertEquals(1, column(lines, header.indexOf(same)).stream().distinct().count(), same);
        }
    }

    @Test
    void ranksThatDoNotDivideTheHeadsStopTheRun() throws Exception {
        Cli cli =
                Cli.run(
                        folder,
                        "RequestThroughput -p engine=cpu -p tp=1,16 -p numPrompts=4".split(" "));
        assertEquals(2, cli.status(), cli.out() + cli.err());
        assertTrue(
                cli.err().contains("tp=16 must divide 8 attention heads; try 1, 2, 4 or 8"),
                cli.err());
        assertTrue(Files.notExists(folder.resolve("results")), "something has run");
    }

    /** A column's fields. The device's name has commas, in quotes. */
    private static List<String> column(List<String> lines, int index) {
        return lines.stream()
                .skip(1)
                .map(line -> line.replaceAll("\"[^\"]*\"", "quoted").split(",", -1)[index])
                .toList();
    }
}
