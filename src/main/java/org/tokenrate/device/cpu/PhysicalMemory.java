package org.tokenrate.device.cpu;

import java.lang.management.ManagementFactory;

/** The machine's memory, or the container's where it has less. */
final class PhysicalMemory {
    private PhysicalMemory() {}

    /** In bytes; {@link Long#MAX_VALUE} where this Java does not tell. */
    static long bytes() {
        return ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : Long.MAX_VALUE;
    }
}
