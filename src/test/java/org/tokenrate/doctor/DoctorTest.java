package org.tokenrate.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.Engines;

class DoctorTest {
    @TempDir Path folder;

    @Test
    void everyEngineIsListedAndWhatAutoStandsForCanRun() {
        List<String> report = Doctor.report(folder);
        for (String engine : Engines.diagnose().keySet()) {
            assertEquals(1, count(report, "  " + engine + " "), engine + " in " + report);
        }
        assertEquals(1, count(report, "  auto       is " + Engines.auto()), report.toString());
        assertTrue(Doctor.isWell());
    }

    @Test
    void theTypeOfAutoIsTheOneThatTheEngineComputesIn() {
        String type = CpuDevice.preferredType().name().toLowerCase(Locale.ROOT);
        assertTrue(CpuDevice.types().startsWith("dtype=auto is " + type), CpuDevice.types());
    }

    @Test
    void aFolderThatIsNotThereIsSaidToBeMade() {
        Path results = folder.resolve("a").resolve("b");
        String text = Folders.describe(results);
        assertTrue(text.startsWith(results + ": will be made; "), text);
        assertFalse(Files.exists(results));
    }

    @Test
    void aFileInTheWayIsSaid() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertEquals(
                file.resolve("results") + ": " + file + " is not a folder",
                Folders.describe(file.resolve("results")));
    }

    private static long count(List<String> lines, String beginning) {
        return lines.stream().filter(l -> l.startsWith(beginning)).count();
    }
}
