package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.cli.Main;
import org.tokenrate.softgpu.SoftGpu;

/** What is missing on a machine is said by name; what is not asked for is not touched. */
class CudaLibraryTest {
    @TempDir Path scratch;

    private static boolean isHere(String library) {
        try {
            NativeLibrary.getInstance(library).close();
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    /** The software GPU without one of its libraries. */
    private SoftGpu without(String library) throws Exception {
        SoftGpu.assumeHere();
        Assumptions.assumeFalse(isHere(library), "this machine has a " + library + " of its own");
        Path some = Files.createDirectory(scratch.resolve("libraries"));
        try (Stream<Path> all = Files.list(SoftGpu.build().libraries())) {
            for (Path file : all.filter(f -> !f.endsWith(library)).toList()) {
                if (Files.isRegularFile(file)) Files.copy(file, some.resolve(file.getFileName()));
            }
        }
        return new SoftGpu(some, Map.of("SOFTGPU_DEVICES", "2"));
    }

    private String doctor(SoftGpu gpu) throws Exception {
        return gpu.run(scratch, Main.class, "doctor").output();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "libnvrtc.so.13  | needs NVRTC, the compiler of kernels, which does not load"
                        + " (libnvrtc.so.13 is missing): it is of the CUDA 13 toolkit",
                "libcublas.so.13 | needs cuBLAS, which does not load (libcublas.so.13 is missing):"
                        + " it is of the CUDA 13 toolkit",
                "libcuda.so.1    | needs NVIDIA's driver, but libcuda.so.1 is not on this machine:"
                        + " install driver 580 or newer",
            })
    void doctorNamesWhatIsMissingAndTakesTheCpu(String library, String said) throws Exception {
        String output = doctor(without(library));
        assertTrue(output.contains("cannot run: engine=cuda " + said), output);
        assertTrue(output.contains("auto       is cpu, since cuda cannot run"), output);
    }

    @Test
    void withoutNcclOneDeviceRunsAllTheSame() throws Exception {
        String output = doctor(without("libnccl.so.2"));
        assertTrue(output.contains("auto       is cuda"), output);
        assertTrue(output.contains("tp=1 only: "), output);
        assertTrue(output.contains("libnccl.so.2 is missing"), output);
    }

    @Test
    void doctorListsDevicesAndVersions() throws Exception {
        SoftGpu.assumeHere();
        String output = doctor(SoftGpu.build().devices(4));
        assertTrue(output.contains("cuda       ready: 4 devices, the first: Software GPU"), output);
        assertTrue(
                output.contains("device 3: Software GPU (tests only, no timing), 1 GiB, sm_80"),
                output);
        assertTrue(output.contains("the driver supports CUDA 13.1"), output);
        assertTrue(output.contains("tp up to 4, with NCCL "), output);
    }

    @Test
    void theCpuEngineDoesWithoutTheCudaPresetsAltogether() throws Exception {
        String classPath =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(p -> !p.contains("bytedeco" + File.separator + "cuda"))
                        .collect(Collectors.joining(File.pathSeparator));
        assertFalse(
                classPath.equals(System.getProperty("java.class.path")), "nothing was left out");
        Process process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "--add-modules=jdk.incubator.vector",
                                        "-Xmx1g",
                                        "-cp",
                                        classPath,
                                        CpuOnlyMain.class.getName()))
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("a token"), output);
    }
}
