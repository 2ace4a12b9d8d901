package org.tokenrate.device;

/** What a device refuses or lacks, in a sentence for the user; no fault of the caller's code. */
public class DeviceException extends RuntimeException {
    protected DeviceException(String message) {
        super(message);
    }

    protected DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
