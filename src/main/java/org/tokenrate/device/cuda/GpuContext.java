package org.tokenrate.device.cuda;

import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.SizeTPointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A GPU's primary context with the one stream on which all of a rank's work is queued. */
final class GpuContext implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GpuContext.class);

    private final Gpu gpu;
    private final CUctx_st context = new CUctx_st();
    private final CUstream_st stream = new CUstream_st();

    GpuContext(Gpu gpu) {
        this.gpu = gpu;
        Status.driver(
                cudart.cuDevicePrimaryCtxRetain(context, gpu.ordinal()),
                "cuDevicePrimaryCtxRetain");
        try {
            makeCurrent();
            Status.driver(
                    cudart.cuStreamCreate(stream, cudart.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        } catch (CudaException e) {
            cudart.cuDevicePrimaryCtxRelease(gpu.ordinal());
            throw e;
        }
    }

    Gpu gpu() {
        return gpu;
    }

    CUstream_st stream() {
        return stream;
    }

    /** Binds the calling thread to this GPU: ranks have a thread each, but one may load for all. */
    void makeCurrent() {
        Status.driver(cudart.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    /** Waits for all that was queued. */
    void synchronize(String afterWhat) {
        Status.driver(cudart.cuStreamSynchronize(stream), "cuStreamSynchronize after " + afterWhat);
    }

    long freeBytes() {
        try (SizeTPointer free = new SizeTPointer(1);
                SizeTPointer total = new SizeTPointer(1)) {
            Status.driver(cudart.cuMemGetInfo(free, total), "cuMemGetInfo");
            return free.get();
        }
    }

    /** After a lost device every call fails; there is nothing left to do about it. */
    @Override
    public void close() {
        warn(cudart.cuStreamDestroy(stream), "cuStreamDestroy");
        warn(cudart.cuDevicePrimaryCtxRelease(gpu.ordinal()), "cuDevicePrimaryCtxRelease");
    }

    /** For calls that clean up: one that fails must not keep the next from being made. */
    static void warn(int status, String call) {
        if (status == cudart.CUDA_SUCCESS) return;
        // Of a lost device nothing can be freed, and its loss has been told.
        if (Status.isLost(status)) LOG.debug("{} failed: {}", call, Status.driverName(status));
        else LOG.warn("{} failed: {}", call, Status.driverName(status));
    }
}
