package org.tokenrate.device.cuda;

import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.checkpoint.DType;

/** cuBLAS on a rank's stream: products of 16-bit numbers, summed in 32 bits. */
final class Blas implements AutoCloseable {
    /** What cuBLAS itself takes on Hopper; given by us, so that it allocates nothing in a graph. */
    private static final long WORKSPACE_BYTES = 32L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(Blas.class);

    private final cublasContext handle = new cublasContext();
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final int type;

    /**
     * @param dtype of the factors: F16 or BF16
     */
    Blas(GpuContext context, DeviceMemory memory, DType dtype) {
        CudaLibrary.CUBLAS.require();
        type = type(dtype);
        Status.blas(cublas.cublasCreate_v2(handle), "cublasCreate");
        try {
            Status.blas(cublas.cublasSetStream_v2(handle, context.stream()), "cublasSetStream");
            long workspace = memory.allocate(WORKSPACE_BYTES, "cuBLAS's workspace");
            Status.blas(
                    cublas.cublasSetWorkspace_v2(
                            handle, new DevicePointer(workspace), WORKSPACE_BYTES),
                    "cublasSetWorkspace");
        } catch (CudaException e) {
            close();
            throw e;
        }
    }

    private static int type(DType dtype) {
        return switch (dtype) {
            case F16 -> cudart.CUDA_R_16F;
            case BF16 -> cudart.CUDA_R_16BF;
            case F32 -> cudart.CUDA_R_32F;
            case I32 -> throw new IllegalArgumentException("no products of integers");
        };
    }

    String version() {
        int[] version = new int[1];
        Status.blas(cublas.cublasGetVersion_v2(handle, version), "cublasGetVersion");
        return "%d.%d.%d"
                .formatted(version[0] / 10_000, version[0] % 10_000 / 100, version[0] % 100);
    }

    /**
     * {@code y = x W^T}, row-major. cuBLAS counts by columns, so to it these are y^T, x^T and W^T:
     * {@code y^T = W x^T}, and what it must transpose is its own view of W.
     *
     * @param x {@code [rows, inputs]}
     * @param w {@code [outputs, inputs]}
     * @param y {@code [rows, outputs]} of F32 or the factors' type
     */
    void multiply(Pointer x, Pointer w, Pointer y, DType yType, int rows, int inputs, int outputs) {
        Status.blas(
                cublas.cublasGemmEx(
                        handle,
                        cublas.CUBLAS_OP_T,
                        cublas.CUBLAS_OP_N,
                        outputs,
                        rows,
                        inputs,
                        one,
                        w,
                        type,
                        inputs,
                        x,
                        type,
                        inputs,
                        zero,
                        y,
                        type(yType),
                        outputs,
                        cublas.CUBLAS_COMPUTE_32F,
                        cublas.CUBLAS_GEMM_DEFAULT),
                "cublasGemmEx");
    }

    @Override
    public void close() {
        int status = cublas.cublasDestroy_v2(handle);
        if (status != cublas.CUBLAS_STATUS_SUCCESS) LOG.debug("cublasDestroy failed: {}", status);
        one.deallocate();
        zero.deallocate();
    }
}
