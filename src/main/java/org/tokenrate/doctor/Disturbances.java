package org.tokenrate.doctor;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What makes a measurement on this machine slower or less steady than it could be. */
final class Disturbances {
    /** A share of one core that the system's own housekeeping stays under. */
    private static final double BUSY_CORES = 0.3;

    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    private static final Path GOVERNOR =
            Path.of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");

    private Disturbances() {}

    static List<String> here(int cores) {
        var found = new ArrayList<String>();
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        if (load > BUSY_CORES) found.add(busy(load, cores));
        text(HUGE_PAGES).filter(t -> t.contains("[never]")).ifPresent(t -> found.add(hugePages()));
        text(GOVERNOR).filter(t -> !t.equals("performance")).ifPresent(t -> found.add(governor(t)));
        return found;
    }

    private static String busy(double load, int cores) {
        return "other processes are busy: load %.2f in the last minute, of %d cores"
                .formatted(load, cores);
    }

    private static String hugePages() {
        return "no huge pages: " + HUGE_PAGES + " is never; the CPU engine is faster with madvise";
    }

    private static String governor(String governor) {
        return "the clock changes with the load: the CPU's governor is %s, not performance"
                .formatted(governor);
    }

    private static Optional<String> text(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            return Optional.empty(); // not Linux, or a container that hides it
        }
    }
}
