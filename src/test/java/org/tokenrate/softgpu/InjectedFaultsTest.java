package org.tokenrate.softgpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What SOFTGPU_FAIL makes fail does, and what a program leaves behind is told at its end. */
class InjectedFaultsTest {
    @TempDir Path scratch;

    @BeforeAll
    static void softGpuIsHere() {
        SoftGpu.assumeHere();
    }

    private SoftGpu.Ended run(String fail, String... arguments)
            throws IOException, InterruptedException {
        return SoftGpu.build().fail(fail).run(scratch, FailingMain.class, arguments);
    }

    @Test
    void nothingFailsAndNothingIsLeftUnasked() throws Exception {
        SoftGpu.Ended ended = run("");
        List<String> wrong =
                ended.output()
                        .lines()
                        .filter(line -> !line.matches("[a-z]+ 0|WARNING: Using incubator.*"))
                        .toList();
        assertEquals(List.of(), wrong);
        assertEquals("", ended.report());
        assertEquals(0, ended.exit());
    }

    @ParameterizedTest
    @CsvSource({
        "alloc:2, alloc 2",
        "alloc:3, pinned 2",
        "launch:1, launch 719",
        "cublas:1, cublas 13",
        "nvrtc:1, the failure that SOFTGPU_FAIL asks for",
    })
    void theCallFailsThatIsAskedFor(String fail, String line) throws Exception {
        SoftGpu.Ended ended = run(fail);
        assertTrue(ended.output().contains(line), ended.output());
        assertTrue(ended.output().contains("release 0"), ended.output());
    }

    @Test
    void aLostDeviceFailsEveryCallButForgetsWhatIsGivenBack() throws Exception {
        SoftGpu.Ended ended = run("lost:10"); // as the kernel's function is asked for
        assertTrue(ended.output().contains("module 0\nfunction 46\n"), ended.output());
        assertTrue(ended.output().contains("wait 46"), ended.output());
        assertTrue(ended.output().contains("free 46"), ended.output());
        assertEquals("", ended.report());
    }

    @Test
    void whatIsNotGivenBackIsTold() throws Exception {
        SoftGpu.Ended ended = run("", "leave");
        assertEquals(
                """
                leak: 1 cuBLAS handles
                leak: 100 bytes of device 0
                leak: 200 bytes of device 0
                leak: 64 bytes of pinned host memory
                leak: 1 streams
                leak: 1 events
                leak: 1 modules
                leak: the context of device 0, retained 1 times
                """
                        .lines()
                        .sorted()
                        .toList(),
                ended.report().lines().sorted().toList());
    }

    @Test
    void theHostCannotTouchTheDevicesMemory() throws Exception {
        Assumptions.assumeTrue(
                java.nio.file.Files.readString(Path.of("/proc/cpuinfo")).contains(" pku "),
                "this processor has no protection keys");
        SoftGpu.Ended ended = run("", "touch");
        assertNotEquals(0, ended.exit());
        assertTrue(ended.output().contains("SIGSEGV"), ended.output());
    }
}
