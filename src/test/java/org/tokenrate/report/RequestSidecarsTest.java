package org.tokenrate.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.metrics.BinnedRun;
import org.tokenrate.workload.EngineSample;
import org.tokenrate.workload.RequestRecord;

/** The files beside a request file. */
class RequestSidecarsTest {
    @TempDir Path folder;

    private static BinnedRun run() {
        long[] steps = {21_000_000, 22_000_000, 900_000_000};
        var a =
                new RequestRecord(
                        0,
                        3,
                        4,
                        4,
                        1_000,
                        steps[0],
                        900_000_001,
                        steps,
                        new int[] {1, 2, 1},
                        "length",
                        "");
        var b =
                new RequestRecord(
                        1, 3, 9, 9, 2_000, -1, 5_000_000, new long[0], new int[0], "length", "");
        return BinnedRun.of(List.of(a, b));
    }

    @Test
    void whatIsWrittenIsReadAgain() throws IOException {
        Path file = folder.resolve("x.binned.json");
        BinnedRun written = run();
        BinnedFile.write(file, written);
        BinnedRun read = BinnedFile.read(file);
        assertEquals(written.ttft(), read.ttft());
        assertEquals(written.itl(), read.itl());
        assertEquals(written.tpot(), read.tpot());
        assertEquals(written.e2e(), read.e2e());
        assertEquals(written.tokens().widthNanos(), read.tokens().widthNanos());
        assertArrayEquals(written.tokens().amounts(), read.tokens().amounts());
        assertArrayEquals(written.inFlight().amounts(), read.inFlight().amounts());
    }

    @Test
    void damagedFilesAreRefusedInASentence() throws IOException {
        Path file = folder.resolve("x.binned.json");
        BinnedFile.write(file, run());
        String good = Files.readString(file);
        for (String bad :
                List.of(
                        "",
                        "[]",
                        good.substring(0, good.length() / 2),
                        good.replace("\"width_ns\":2000000", "\"width_ns\":0"),
                        good.replace("\"width_ns\":2000000", "\"width_ns\":-1"),
                        good.replace("\"width_ns\":2000000", "\"width_ns\":1e30"),
                        good.replaceFirst("\"count\":\\[", "\"count\":[1,"),
                        good.replaceFirst("\"from_ns\":\\[", "\"from_ns\":[9223372036854775807,"),
                        good.replaceFirst("\"amount\":\\[0", "\"amount\":[\"</script>\""))) {
            assertTrue(!bad.equals(good), "nothing was damaged: " + bad);
            Files.writeString(file, bad);
            var e = assertThrows(IOException.class, () -> BinnedFile.read(file), bad);
            assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        }
    }

    @Test
    void theirNamesLeadToTheRequestFile() {
        String raw = RequestsFile.name("concurrency=4", 1, 2);
        for (String n : List.of(raw, RequestsFile.binned(raw), RequestsFile.engine(raw))) {
            assertTrue(RequestsFile.isOne(n), n);
            assertEquals("requests-concurrency=4-1-2.jsonl", RequestsFile.requestsOf(n));
        }
        for (String n : List.of("jmh.json", "engine.csv", "requests-x.part", "x.jsonl")) {
            assertTrue(!RequestsFile.isOne(n), n);
        }
    }

    @Test
    void engineCountersAreReadAgain() throws IOException {
        Path file = folder.resolve("x.engine.csv");
        var samples =
                List.of(
                        new EngineSample(0, new EngineCounters(1, 0, 3, 3)),
                        new EngineSample(20_123_456, new EngineCounters(9, 1, 7, 8)));
        EngineFile.write(file, samples);
        assertEquals(samples, EngineFile.read(file));
        Files.writeString(file, Files.readString(file) + "0.5,1,2,3\n");
        var e = assertThrows(IOException.class, () -> EngineFile.read(file));
        assertTrue(e.getMessage().startsWith(file + ", line 4: not five numbers"), e.getMessage());
        Files.writeString(file, "x\n");
        assertThrows(IOException.class, () -> EngineFile.read(file));
    }
}
