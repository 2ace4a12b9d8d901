package org.tokenrate.device.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.SizeTPointer;
import org.tokenrate.checkpoint.DType;

/**
 * A GPU as the driver describes it.
 *
 * @param ordinal its number among those visible
 * @param major of its compute capability
 * @param minor of its compute capability
 * @param multiprocessors how many blocks can at least run at once
 * @param sharedBytes shared memory that a block can be given
 * @param memoryBytes all of its memory
 */
record Gpu(
        int ordinal,
        String name,
        int major,
        int minor,
        int multiprocessors,
        int sharedBytes,
        long memoryBytes) {
    /** The oldest whose tensor cores take what the kernels give them. */
    private static final int OLDEST_MAJOR = 7;

    private static final int OLDEST_MINOR = 5;

    /**
     * All that are visible.
     *
     * @throws CudaException if the driver is missing or finds none
     */
    static List<Gpu> all() {
        CudaLibrary.DRIVER.require();
        Status.driver(cudart.cuInit(0), "cuInit");
        int[] count = new int[1];
        Status.driver(cudart.cuDeviceGetCount(count), "cuDeviceGetCount");
        if (count[0] == 0) {
            throw Status.driverError(cudart.CUDA_ERROR_NO_DEVICE, "cuDeviceGetCount");
        }
        List<Gpu> all = new ArrayList<>();
        for (int i = 0; i < count[0]; i++) all.add(of(i));
        return all;
    }

    private static Gpu of(int ordinal) {
        int[] device = new int[1];
        Status.driver(cudart.cuDeviceGet(device, ordinal), "cuDeviceGet");
        byte[] name = new byte[256];
        Status.driver(cudart.cuDeviceGetName(name, name.length, device[0]), "cuDeviceGetName");
        int length = 0;
        while (length < name.length && name[length] != 0) length++;
        try (SizeTPointer bytes = new SizeTPointer(1)) {
            Status.driver(cudart.cuDeviceTotalMem(bytes, device[0]), "cuDeviceTotalMem");
            return new Gpu(
                    ordinal,
                    new String(name, 0, length, StandardCharsets.UTF_8),
                    attribute(cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device[0]),
                    attribute(cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device[0]),
                    attribute(cudart.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device[0]),
                    attribute(
                            cudart.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                            device[0]),
                    bytes.get());
        }
    }

    private static int attribute(int attribute, int device) {
        int[] value = new int[1];
        Status.driver(
                cudart.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    /** Version of CUDA that the driver supports, e.g. 13.1. */
    static String driverVersion() {
        int[] version = new int[1];
        Status.driver(cudart.cuDriverGetVersion(version), "cuDriverGetVersion");
        return version[0] / 1000 + "." + version[0] % 1000 / 10;
    }

    /** The architecture as the compiler names it, e.g. sm_80. */
    String architecture() {
        return "sm_" + major + minor;
    }

    /** bf16 where the tensor cores multiply it, else f16. */
    DType preferredType() {
        return multiplies(DType.BF16) ? DType.BF16 : DType.F16;
    }

    boolean multiplies(DType dtype) {
        return dtype == DType.F16 || dtype == DType.BF16 && major >= 8;
    }

    /**
     * @throws CudaException if the kernels are not for so old a GPU
     */
    void requireSupported() {
        if (major > OLDEST_MAJOR || major == OLDEST_MAJOR && minor >= OLDEST_MINOR) return;
        throw new CudaException(
                "%s has compute capability %d.%d; engine=cuda needs 7.5 (Turing) or newer"
                        .formatted(name, major, minor));
    }

    /** In words, for reports. */
    String description() {
        return "%s, %.0f GiB, %s"
                .formatted(name, memoryBytes / (double) (1L << 30), architecture());
    }
}
