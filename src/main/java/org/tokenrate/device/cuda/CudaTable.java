package org.tokenrate.device.cuda;

import org.tokenrate.device.Table;

/** Weights that are read by row, in the device's type. */
record CudaTable(long address, int rows, int columns, long bytes) implements Table {}
