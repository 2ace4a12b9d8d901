package org.tokenrate.device;

/**
 * The residual stream of a batch's tokens, {@code [rows, columns]}: 32-bit floats, and on some
 * devices what is still to be added to them.
 */
public interface Residual {}
