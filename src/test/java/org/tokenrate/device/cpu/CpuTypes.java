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

    /** Skips a test of 4-bit weights multiplied in a type that this CPU has no products of. */
    public static void assumeFourBitMultiplied(DType dtype) {
        assumeTrue(
                dtype == DType.F32 || OneDnn.hasBf16(),
                () -> "this CPU has no 4-bit products of " + dtype);
    }
}
