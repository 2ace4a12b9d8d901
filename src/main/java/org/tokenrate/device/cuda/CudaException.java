package org.tokenrate.device.cuda;

/** What CUDA refuses or lacks: the call, the code's name and what to do, in a sentence. */
public final class CudaException extends RuntimeException {
    CudaException(String message) {
        super(message);
    }

    CudaException(String message, Throwable cause) {
        super(message, cause);
    }
}
