package org.tokenrate.device;

/** Weights that are read by row (an embedding) or whole (a norm's weight). */
public interface Table {
    /** Bytes on the device. */
    long bytes();
}
