package org.tokenrate.device.cuda;

import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.SizeTPointer;

/** Looks at what every call returns: an error names the call, the code and what to do. */
final class Status {
    private static final String LOST =
            "the GPU has stopped working for this process; start anew, and if it comes again look"
                    + " for Xid in the kernel's log (dmesg)";
    private static final String DRIVER_TOO_OLD =
            "the driver does not fit CUDA 13; install NVIDIA's driver 580 or newer";

    private Status() {}

    /** For a call of the driver API. */
    static void driver(int status, String call) {
        if (status != cudart.CUDA_SUCCESS) throw driverError(status, call);
    }

    static CudaException driverError(int status, String call) {
        return new CudaException(
                "%s failed: %s (%s); %s"
                        .formatted(call, driverName(status), driverText(status), remedy(status)));
    }

    static void blas(int status, String call) {
        if (status == cublas.CUBLAS_STATUS_SUCCESS) return;
        throw new CudaException(
                "%s failed: %s; %s"
                        .formatted(
                                call,
                                text(cublas.cublasGetStatusName(status)),
                                driverOr("the GPU may be out of memory: see nvidia-smi")));
    }

    static void nccl(int status, String call) {
        if (status == nccl.ncclSuccess) return;
        throw new CudaException(
                "%s failed: %s; %s"
                        .formatted(
                                call,
                                text(nccl.ncclGetErrorString(status)),
                                driverOr(
                                        "NCCL_DEBUG=WARN in the environment makes NCCL say more")));
    }

    static void nvrtc(int status, String call) {
        if (status == nvrtc.NVRTC_SUCCESS) return;
        throw new CudaException(
                "%s failed: %s; is the NVRTC that was found of CUDA 13?"
                        .formatted(call, text(nvrtc.nvrtcGetErrorString(status))));
    }

    /** What the driver says where the device is lost, for libraries hide it; else the remedy. */
    private static String driverOr(String remedy) {
        CUctx_st current = new CUctx_st();
        int found = cudart.cuCtxGetCurrent(current);
        if (found == cudart.CUDA_SUCCESS && current.isNull()) return remedy;
        try (SizeTPointer free = new SizeTPointer(1);
                SizeTPointer total = new SizeTPointer(1)) {
            int status = cudart.cuMemGetInfo(free, total);
            return isLost(status) ? driverName(status) + ": " + LOST : remedy;
        }
    }

    /** The code's name, e.g. CUDA_ERROR_OUT_OF_MEMORY. */
    static String driverName(int status) {
        BytePointer name = new BytePointer((Pointer) null);
        return cudart.cuGetErrorName(status, name) == cudart.CUDA_SUCCESS
                ? text(name)
                : "code " + status;
    }

    private static String driverText(int status) {
        BytePointer text = new BytePointer((Pointer) null);
        return cudart.cuGetErrorString(status, text) == cudart.CUDA_SUCCESS
                ? text(text)
                : "the driver does not know this code";
    }

    private static String text(BytePointer chars) {
        return chars == null || chars.isNull() ? "no name" : chars.getString();
    }

    private static String remedy(int status) {
        return switch (status) {
            case cudart.CUDA_ERROR_OUT_OF_MEMORY ->
                    "see with nvidia-smi what else holds the GPU's memory, lower cacheCount or"
                            + " concurrency, or spread the model with tp";
            case cudart.CUDA_ERROR_NO_DEVICE ->
                    "the driver finds no GPU: see nvidia-smi and CUDA_VISIBLE_DEVICES; a container"
                            + " needs --gpus all";
            case cudart.CUDA_ERROR_STUB_LIBRARY ->
                    "the libcuda.so.1 that was found is the toolkit's stub: take it off"
                            + " LD_LIBRARY_PATH";
            case cudart.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH,
                    cudart.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE,
                    cudart.CUDA_ERROR_NO_BINARY_FOR_GPU ->
                    DRIVER_TOO_OLD;
            default ->
                    isLost(status)
                            ? LOST
                            : "this should not happen: please report it, with the output of doctor";
        };
    }

    /** Whether no later call of this process will succeed either. */
    static boolean isLost(int status) {
        return switch (status) {
            case cudart.CUDA_ERROR_DEVICE_UNAVAILABLE,
                    cudart.CUDA_ERROR_ECC_UNCORRECTABLE,
                    cudart.CUDA_ERROR_ILLEGAL_ADDRESS,
                    cudart.CUDA_ERROR_LAUNCH_FAILED,
                    cudart.CUDA_ERROR_LAUNCH_TIMEOUT,
                    cudart.CUDA_ERROR_UNKNOWN ->
                    true;
            default -> false;
        };
    }
}
