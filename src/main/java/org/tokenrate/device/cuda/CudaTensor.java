package org.tokenrate.device.cuda;

import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Tensor;

/** An activation on the device. */
record CudaTensor(int rows, int columns, DType type, DevicePointer memory) implements Tensor {
    long address() {
        return memory.address();
    }
}
