package org.tokenrate.device.cpu;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;

/**
 * Some outputs of one group of a 4-bit matrix, unpacked into oneDNN's layout of dense weights: so
 * few that they stay in the core's second cache, and unpacked once for all rows. A group's products
 * are scaled and added to those of the groups before it by oneDNN, too.
 */
final class FourBitTile {
    private static final int PANEL = FourBitWeights.PANEL;
    private static final int MOST_PANELS = 16;
    private static final int LARGEST_GROUP = 128;

    /** Of sums, f32: a quarter of a second cache of 1 MiB. */
    private static final int MOST_SUMS = 1 << 16;

    private final DType dtype;
    private final BytePointer weights;
    private final IntBuffer ints;
    private final FloatBuffer floats;
    private final BytePointer scales;
    private final FloatBuffer scaleFloats;
    private final Map<FourBitProduct.Shape, FourBitProduct> products = new HashMap<>();
    private BytePointer sums = OneDnn.allocate((long) MOST_SUMS * Float.BYTES);
    private FloatBuffer sumFloats = floats(sums);
    private FourBitProduct.Shape chosen;
    private FourBitProduct first; // a tile's first group: stores its sums
    private FourBitProduct next; // the groups after it: add theirs
    private CpuTensor source = SlicedMatrix.NONE;
    private BytePointer inputs = new BytePointer(); // this tile's own, to be moved along the source
    private long origin;
    private int[] unpackedInts = new int[0];
    private float[] unpackedFloats = new float[0];

    FourBitTile(DType dtype) {
        this.dtype = dtype;
        chosen = new FourBitProduct.Shape(0, 0, 0, 0, dtype, false);
        weights = OneDnn.allocate((long) MOST_PANELS * PANEL * LARGEST_GROUP * dtype.bytes());
        ints = weights.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        floats = floats(weights);
        scales = OneDnn.allocate((long) MOST_PANELS * PANEL * Float.BYTES);
        scaleFloats = floats(scales);
    }

    private static FloatBuffer floats(BytePointer memory) {
        return memory.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** How many panels to take at a time, of so many for so many rows: equal shares. */
    static int panelsAtATime(int panels, int rows) {
        int most = Math.max(1, Math.min(MOST_PANELS, MOST_SUMS / (PANEL * rows)));
        int tiles = (panels + most - 1) / most;
        return (panels + tiles - 1) / tiles;
    }

    // y[r][o] = sum over the groups of s[g][o] times the sum of (128 + q) x over the group
    // x: [bucket, inputs]; y: [rows, width]; s: [groups, width]; width = 64 panels
    void multiply(
            FourBitWeights w,
            int panel,
            int panels,
            CpuTensor x,
            int rows,
            int bucket,
            float[] s,
            float[] y) {
        int width = panels * PANEL;
        if (sumFloats.capacity() < bucket * width) grow(bucket * width);
        int groupSize = w.groupSize();
        choose(bucket, groupSize, w.inputs(), width);
        if (source != x) {
            source = x;
            inputs = x.memory().getPointer(0);
            origin = inputs.position(); // memory begins at a cache line, a pointer before it
        }
        for (int g = 0; g < w.inputs() / groupSize; g++) {
            for (int p = 0; p < panels; p++) unpack(w, panel + p, g, p);
            scaleFloats.put(0, s, g * width, width);
            inputs.position(origin + (long) g * groupSize * dtype.bytes());
            (g == 0 ? first : next).run(inputs, sums);
        }
        sumFloats.get(0, y, 0, rows * width);
    }

    /** Has {@link #first} and {@link #next} be of this shape; most calls find them so. */
    private void choose(int rows, int groupSize, int stride, int outputs) {
        if (chosen.rows() == rows
                && chosen.inputs() == groupSize
                && chosen.stride() == stride
                && chosen.outputs() == outputs) {
            return;
        }
        chosen = new FourBitProduct.Shape(rows, groupSize, stride, outputs, dtype, false);
        first = product(chosen);
        next = product(new FourBitProduct.Shape(rows, groupSize, stride, outputs, dtype, true));
    }

    private FourBitProduct product(FourBitProduct.Shape shape) {
        return products.computeIfAbsent(shape, s -> new FourBitProduct(s, weights, scales));
    }

    private void grow(int count) {
        sums.deallocate();
        sums = OneDnn.allocate((long) count * Float.BYTES);
        sumFloats = floats(sums);
    }

    private void unpack(FourBitWeights w, int panel, int group, int at) {
        int count = w.groupSize() * PANEL;
        if (dtype == DType.F32) {
            if (unpackedFloats.length < count) unpackedFloats = new float[count];
            FourBitKernel.expandToF32(w, panel, group, unpackedFloats, 0);
            floats.put(at * count, unpackedFloats, 0, count);
        } else {
            if (unpackedInts.length < count / 2) unpackedInts = new int[count / 2];
            FourBitKernel.expandToBf16(w, panel, group, unpackedInts, 0);
            ints.put(at * count / 2, unpackedInts, 0, count / 2);
        }
    }

    void free() {
        products.values().forEach(FourBitProduct::free);
        products.clear();
        weights.deallocate();
        scales.deallocate();
        sums.deallocate();
    }
}
