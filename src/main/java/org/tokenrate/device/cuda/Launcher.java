package org.tokenrate.device.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Queues kernels. Arguments are written one after the other into slots of 8 bytes whose addresses
 * the driver gets, so that a launch allocates nothing; the driver has copied them when it returns.
 */
final class Launcher implements AutoCloseable {
    private static final int MOST_ARGUMENTS = 24;
    private static final int SLOT = 8;

    private final GpuContext context;
    private final BytePointer memory = new BytePointer(MOST_ARGUMENTS * SLOT);
    private final ByteBuffer slots = memory.asByteBuffer().order(ByteOrder.nativeOrder());
    private final PointerPointer<Pointer> addresses = new PointerPointer<>(MOST_ARGUMENTS);
    private int count;

    Launcher(GpuContext context) {
        this.context = context;
        for (int i = 0; i < MOST_ARGUMENTS; i++) {
            addresses.put(i, memory.getPointer((long) i * SLOT));
        }
    }

    /** The next argument, an address on the device; 0 for none. */
    Launcher pointer(long address) {
        slots.putLong(count++ * SLOT, address);
        return this;
    }

    Launcher integer(int value) {
        slots.putInt(count++ * SLOT, value);
        return this;
    }

    Launcher wide(long value) {
        return pointer(value);
    }

    Launcher real(float value) {
        slots.putFloat(count++ * SLOT, value);
        return this;
    }

    /** Queues the kernel with the arguments given since the last launch. */
    void launch(Kernel kernel, int gridX, int gridY, int gridZ, int block) {
        count = 0;
        int status =
                cudart.cuLaunchKernel(
                        kernel.function(),
                        gridX,
                        gridY,
                        gridZ,
                        block,
                        1,
                        1,
                        0,
                        context.stream(),
                        addresses,
                        (PointerPointer<?>) null);
        if (status != cudart.CUDA_SUCCESS) {
            throw Status.driverError(status, "cuLaunchKernel of " + kernel.name());
        }
    }

    @Override
    public void close() {
        addresses.deallocate();
        memory.deallocate();
    }
}
