package org.tokenrate.device.cuda;

import org.tokenrate.checkpoint.DType;

/** Products with dense and 4-bit weights. */
final class Products {
    private final DeviceMemory memory;
    private final Blas blas;
    private final TypeKernels kernels;
    private final FourBitKernels fourBit;
    private final DType dtype;

    /** Elements of the largest 4-bit matrix: it is made dense here for products of many rows. */
    private long scratchElements;

    private DevicePointer scratch = new DevicePointer(0);

    Products(
            DeviceMemory memory,
            Blas blas,
            KernelModules modules,
            Launcher launcher,
            TypeKernels kernels,
            DType dtype) {
        this.memory = memory;
        this.blas = blas;
        this.kernels = kernels;
        this.dtype = dtype;
        fourBit = new FourBitKernels(modules, launcher);
    }

    /** Takes note of a matrix; before {@link #takeScratch}. */
    CudaMatrix add(CudaMatrix matrix) {
        if (matrix instanceof FourBitMatrix m) {
            fourBit.load();
            scratchElements = Math.max(scratchElements, (long) m.outputs() * m.inputs());
        }
        return matrix;
    }

    /** Allocates what products with the matrices need. */
    void takeScratch() {
        if (scratchElements == 0 || !scratch.isNull()) return;
        long bytes = scratchElements * dtype.bytes();
        scratch = new DevicePointer(memory.allocate(bytes, "a dense copy of 4-bit weights"));
    }

    /** {@code y = x W^T + bias}; y of the factors' type or, without a bias, of F32. */
    void multiply(CudaTensor x, CudaMatrix w, int rows, CudaTensor y) {
        if (w.bias() != 0 && y.type() == DType.F32) {
            throw new IllegalArgumentException("a bias is added to products of 16 bits only");
        }
        if (w instanceof FourBitMatrix m && rows <= FourBitKernels.MOST_ROWS) {
            fourBit.multiply(x, m, rows, y);
            return;
        }
        DevicePointer weights;
        if (w instanceof FourBitMatrix m) {
            fourBit.dequantize(m, scratch);
            weights = scratch;
        } else {
            weights = ((DenseMatrix) w).weights();
        }
        blas.multiply(x.memory(), weights, y.memory(), y.type(), rows, w.inputs(), w.outputs());
        if (w.bias() != 0) kernels.addBias(y, w.bias(), rows);
    }
}
