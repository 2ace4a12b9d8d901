package org.tokenrate.device.cpu;

import java.util.HashMap;
import java.util.Map;
import org.tokenrate.checkpoint.DType;

/**
 * What slice i of every 4-bit matrix works in. Slices of different numbers run at the same time;
 * those of the same number one after the other.
 */
final class FourBitScratch {
    /** A group's scales and offsets. */
    final float[] s = new float[FourBitWeights.PANEL];

    final float[] c = new float[FourBitWeights.PANEL];

    private final int slice;
    private final DType dtype;
    private final MatrixProducts products;
    private final Map<Integer, FourBitTile> tiles = new HashMap<>();
    private final FourBitRows rows = new FourBitRows();
    private int[] ints = new int[0];
    private float[] floats = new float[0];

    FourBitScratch(int slice, DType dtype, MatrixProducts products) {
        this.slice = slice;
        this.dtype = dtype;
        this.products = products;
    }

    FourBitTile tile(int inputs) {
        return tiles.computeIfAbsent(inputs, n -> new FourBitTile(slice, n, dtype, products));
    }

    FourBitRows rows() {
        return rows;
    }

    int[] ints(int count) {
        if (ints.length < count) ints = new int[count];
        return ints;
    }

    float[] floats(int count) {
        if (floats.length < count) floats = new float[count];
        return floats;
    }

    void free() {
        tiles.values().forEach(FourBitTile::free);
        tiles.clear();
    }
}
