package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.engine.llamacpp.LlamaCppRequired;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;

/** Both engines in one run, through JMH. */
class LlamaCppRunTest {
    /** Of the built-in tokenizer. */
    private static final int VOCABULARY = 4096;

    @TempDir Path folder;

    @Test
    void llamaCppStandsInTheTableBesideOurEngine() throws Exception {
        LlamaCppRequired.orSkip();
        var config = RandomModel.llama(64, 1, 4, 2, 16, 96, VOCABULARY, true);
        Path file = folder.resolve("config.json");
        Files.writeString(file, HfFolder.config(config).toString());
        String arguments =
                "RequestThroughput -p engine=cpu:1,llamacpp:1 -p model=random:%s -p dtype=f32 -p dataset=output:5 -p numPrompts=4 -p concurrency=2 -wi 0 -i 1"
                        .formatted(file);
        Cli run =
                Cli.run(
                        folder,
                        List.of("XDG_CACHE_HOME=" + folder.resolve("cache")),
                        arguments.split(" "));
        assertEquals(0, run.status(), run.out() + run.err());
        // Which it says of a fork whose threads keep it alive.
        assertFalse(run.out().contains("stray"), run.out());
        List<String> csv = Files.readAllLines(Cli.runFolder(folder).resolve("throughput.csv"));
        assertEquals(3, csv.size(), csv.toString());
        List<String> header = List.of(csv.get(0).split(","));
        assertTrue(csv.get(2).matches("llamacpp,.*, 1 threads, 2 slots.*"), csv.get(2));
        for (String column : List.of("failed", "generated_tokens", "prompt_tokens")) {
            int at = header.indexOf(column) - header.size();
            var values = new TreeSet<String>();
            for (String row : csv.subList(1, 3)) {
                String[] fields = row.replaceAll("\"[^\"]*\"", "quoted").split(",", -1);
                values.add(fields[fields.length + at]);
            }
            assertEquals(1, values.size(), column + ": " + values);
        }
        JsonNode record =
                new ObjectMapper().readTree(Cli.runFolder(folder).resolve("run.json").toFile());
        assertTrue(record.toString().contains("\"b4916\""), record.toPrettyString());
        assertTrue(record.toString().contains("slots=2 context="), record.toPrettyString());
    }
}
