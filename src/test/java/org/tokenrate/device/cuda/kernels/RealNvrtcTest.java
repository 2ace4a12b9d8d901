package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.softgpu.SoftGpu;

/**
 * Every kernel by the NVRTC that the engine would use: where a CUDA toolkit is on LD_LIBRARY_PATH,
 * or the profile cuda-redist brings it. The same by nvcc, with registers, is .ci/compile-kernels.
 */
final class RealNvrtcTest {
    /** Set where a missing NVRTC is a failure. */
    private static final String REQUIRED = "NVRTC_REQUIRED";

    private static final int MINUTES = 10;

    @Test
    void everyKernelCompilesForEveryArchitecture(@TempDir Path scratch)
            throws IOException, InterruptedException {
        SoftGpu.assumeHere();
        // The presets load no NVRTC without a driver; the software GPU's does, and nothing else of
        // it.
        Path driver = SoftGpu.build().libraries().resolve("libcuda.so.1");
        Files.copy(driver, scratch.resolve("libcuda.so.1"));
        Path cache = scratch.resolve("cache");
        Path output = scratch.resolve("output.txt");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                // Not what another class path has left in the usual one.
                                "-Dorg.bytedeco.javacpp.cachedir=" + cache,
                                "-cp",
                                System.getProperty("java.class.path"),
                                RealNvrtcMain.class.getName())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().merge("LD_LIBRARY_PATH", scratch.toString(), (a, b) -> b + ":" + a);
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
            String said = Files.readString(output);
            assertTrue(ended, () -> "took over " + MINUTES + " minutes: " + said);
            boolean isRequired = System.getenv(REQUIRED) != null;
            assumeTrue(process.exitValue() != RealNvrtcMain.NO_NVRTC || isRequired, said);
            assertEquals(0, process.exitValue(), said);
            System.out.print(said);
        } finally {
            process.destroyForcibly().waitFor();
            deleteAll(cache); // by hand: JUnit warns of each link that it deletes
        }
    }

    private static void deleteAll(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
