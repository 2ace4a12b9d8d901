package org.tokenrate.device.cuda;

import org.tokenrate.device.Residual;

/**
 * The residual stream on the device. A product stands beside it, in the device's type, until the
 * next norm adds it: so ranks sum products of 16 bits, and the stream is read and written once for
 * both.
 */
final class CudaResidual implements Residual {
    private final CudaTensor sum;
    private final CudaTensor product;
    private boolean pending;

    /**
     * @param sum of F32
     * @param product as large, of the device's type
     */
    CudaResidual(CudaTensor sum, CudaTensor product) {
        this.sum = sum;
        this.product = product;
    }

    CudaTensor sum() {
        return sum;
    }

    CudaTensor product() {
        return product;
    }

    /** Whether the product is still to be added. */
    boolean isPending() {
        return pending;
    }

    /** Says that the product has been written. */
    void add() {
        if (pending) throw new IllegalStateException("a product waits for its norm");
        pending = true;
    }

    /** Says that the product has been added, or that the stream begins anew. */
    void settle() {
        pending = false;
    }
}
