package org.tokenrate.device.cuda;

/**
 * Weights one by one.
 *
 * @param weights {@code [outputs, inputs]} of the device's type
 */
record DenseMatrix(int outputs, int inputs, DevicePointer weights, long bias, long bytes)
        implements CudaMatrix {}
