package org.tokenrate.device.cuda;

import org.tokenrate.device.DeviceException;

/** What CUDA refuses or lacks: the call, the code's name and what to do, in a sentence. */
public final class CudaException extends DeviceException {
    CudaException(String message) {
        super(message);
    }

    CudaException(String message, Throwable cause) {
        super(message, cause);
    }
}
