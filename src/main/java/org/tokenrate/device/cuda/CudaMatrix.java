package org.tokenrate.device.cuda;

import org.tokenrate.device.Matrix;

/** A linear layer's weights on the device. */
sealed interface CudaMatrix extends Matrix permits DenseMatrix, FourBitMatrix {
    /** Address of {@code [outputs]} numbers that are added to every product; 0 for none. */
    long bias();
}
