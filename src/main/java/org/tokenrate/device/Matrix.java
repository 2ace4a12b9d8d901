package org.tokenrate.device;

/** A weight matrix in the layout that the device's products want. */
public interface Matrix {
    /** Input width. */
    int inputs();

    /** Output width. */
    int outputs();

    /** Bytes on the device. */
    long bytes();
}
