package org.tokenrate.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The machine a run is on.
 *
 * @param os name and version
 * @param arch as Java names it
 * @param cpu the CPU's model, or the architecture where the system does not tell
 * @param cores logical processors that Java may use
 * @param memoryBytes physical memory
 */
public record Machine(String os, String arch, String cpu, int cores, long memoryBytes) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    public static Machine here() {
        String arch = System.getProperty("os.arch");
        String os = System.getProperty("os.name") + " " + System.getProperty("os.version");
        return new Machine(
                os, arch, cpuModel(arch), Runtime.getRuntime().availableProcessors(), memory());
    }

    private static String cpuModel(String fallback) {
        try {
            if (Files.isReadable(CPUINFO)) {
                try (Stream<String> lines = Files.lines(CPUINFO)) {
                    return lines.filter(l -> l.startsWith("model name"))
                            .map(l -> l.substring(l.indexOf(':') + 1).strip())
                            .findFirst()
                            .orElse(fallback);
                }
            }
            if (System.getProperty("os.name").startsWith("Mac")) {
                var sysctl = new ProcessBuilder("sysctl", "-n", "machdep.cpu.brand_string").start();
                String model = new String(sysctl.getInputStream().readAllBytes()).strip();
                return model.isEmpty() ? fallback : model;
            }
        } catch (IOException e) {
            // The model's name is a courtesy: a run does not fail for it.
        }
        return fallback;
    }

    private static long memory() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                .getTotalMemorySize();
    }
}
