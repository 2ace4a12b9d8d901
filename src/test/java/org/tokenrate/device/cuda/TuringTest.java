package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.softgpu.OnSoftGpu;

/** The oldest GPU that is supported multiplies no bf16. */
@OnSoftGpu(architecture = 75)
class TuringTest {
    @Test
    void autoIsF16AndBf16IsRefused() {
        assertEquals(DType.F16, CudaDevices.preferredType());
        CudaDevices.requireMultiplied(DType.F16);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CudaDevices.requireMultiplied(DType.BF16))
                        .getMessage();
        assertEquals(
                "dtype=bf16: Software GPU (tests only, no timing), 1 GiB, sm_75 has no products of"
                        + " that type; use dtype=f16",
                message);
    }
}
