package org.tokenrate.device;

/** An activation in a device's memory: {@code [rows, columns]}, row-major. */
public interface Tensor {
    int rows();

    int columns();
}
