package org.tokenrate.device.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * All memory that a rank has of its GPU, and what it has pinned on the host: taken at start, freed
 * together at the end, also after a failure. Nothing is allocated in an iteration.
 */
final class DeviceMemory implements AutoCloseable {
    private final GpuContext context;
    private final Map<Long, Long> blocks = new LinkedHashMap<>();
    private final List<Pointer> pinned = new ArrayList<>();
    private final long[] address = new long[1];

    DeviceMemory(GpuContext context) {
        this.context = context;
    }

    /**
     * Memory on the device, aligned to 256 bytes, that holds anything.
     *
     * @param what it is for, for errors
     */
    long allocate(long bytes, String what) {
        long size = Math.max(1, bytes);
        int status = cudart.cuMemAlloc(address, size);
        if (status != cudart.CUDA_SUCCESS) {
            String free =
                    status == cudart.CUDA_ERROR_OUT_OF_MEMORY
                            ? ", of which %,d are free,".formatted(context.freeBytes())
                            : "";
            throw Status.driverError(
                    status, "cuMemAlloc of %,d bytes%s for %s".formatted(size, free, what));
        }
        blocks.put(address[0], size);
        return address[0];
    }

    /** The same, all zero. */
    long allocateZeroed(long bytes, String what) {
        long block = allocate(bytes, what);
        Status.driver(
                cudart.cuMemsetD8Async(block, (byte) 0, Math.max(1, bytes), context.stream()),
                "cuMemsetD8Async");
        return block;
    }

    /** Memory of the host that the device copies from and to without the host's help. */
    BytePointer allocateHost(long bytes, String what) {
        Pointer memory = new Pointer();
        Status.driver(
                cudart.cuMemAllocHost(memory, bytes),
                "cuMemAllocHost of %,d bytes of the host's memory for %s".formatted(bytes, what));
        pinned.add(memory);
        BytePointer chars = new BytePointer(memory);
        chars.capacity(bytes);
        return chars;
    }

    void freeHost(BytePointer memory) {
        pinned.removeIf(
                p -> {
                    if (p.address() != memory.address()) return false;
                    GpuContext.warn(cudart.cuMemFreeHost(p), "cuMemFreeHost");
                    return true;
                });
    }

    /** Gives back what was only needed for a while; nothing that uses it may be queued any more. */
    void free(long block) {
        if (blocks.remove(block) != null) GpuContext.warn(cudart.cuMemFree(block), "cuMemFree");
    }

    /** Bytes held on the device. */
    long bytes() {
        return blocks.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public void close() {
        int failed = 0;
        int status = cudart.CUDA_SUCCESS;
        for (long block : blocks.keySet()) {
            int one = cudart.cuMemFree(block);
            if (one == cudart.CUDA_SUCCESS) continue;
            status = one;
            failed++;
        }
        for (Pointer p : pinned) {
            int one = cudart.cuMemFreeHost(p);
            if (one == cudart.CUDA_SUCCESS) continue;
            status = one;
            failed++;
        }
        // One line, not thousands: after a lost device none of it can be freed.
        if (failed > 0) GpuContext.warn(status, "freeing %d pieces of memory".formatted(failed));
        blocks.clear();
        pinned.clear();
    }
}
