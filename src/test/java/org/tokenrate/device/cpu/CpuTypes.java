package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.tokenrate.checkpoint.DType;

/** What this machine's CPU can be tested with. */
public final class CpuTypes {
    private CpuTypes() {}

    /** Skips a test whose type this CPU has no products of. */
    public static void assumeMultiplied(DType dtype) {
        assumeTrue(CpuDevice.multiplies(dtype), () -> "this CPU has no products of " + dtype);
    }
}
