package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.device.cpu.MatrixProducts.After;

/**
 * A matrix of 4-bit weights. A few rows are multiplied with the weights as they are; for more, the
 * weights are unpacked tile by tile, once for all rows, and each tile is multiplied by oneDNN.
 */
final class FourBitMatrix extends SlicedMatrix {
    private static final int PANEL = FourBitWeights.PANEL;

    private record Slice(int firstOutput, FourBitWeights weights, FourBitScratch scratch) {}

    private final int inputs;
    private final int mostDirectRows;
    private final float[] bias;
    private final List<Slice> slices = new ArrayList<>();
    private int outputs;

    private int rows;
    private int bucket;
    private CpuTensor x = NONE;
    private CpuTensor y = NONE;
    private CpuTensor factor = NONE;
    private After after = After.NOTHING;
    private boolean biasFirst;

    /**
     * @param mostDirectRows up to how many rows the weights are used as they are
     * @param bias one for each output, or none at all
     */
    FourBitMatrix(int inputs, int mostDirectRows, float[] bias) {
        this.inputs = inputs;
        this.mostDirectRows = mostDirectRows;
        this.bias = bias;
    }

    /** Adds the next slice. */
    void add(FourBitWeights weights, FourBitScratch scratch) {
        slices.add(new Slice(outputs, weights, scratch));
        outputs += weights.outputs();
    }

    FourBitWeights weights(int slice) {
        return slices.get(slice).weights;
    }

    @Override
    void prepare(int rows, CpuTensor x, CpuTensor y, After after, CpuTensor factor) {
        if (bias.length > 0 && (after == After.SILU || after == After.MULTIPLY)) {
            throw new IllegalStateException("a gated product of 4-bit weights takes no bias");
        }
        this.rows = rows;
        this.x = x;
        this.y = y;
        this.after = bias.length > 0 ? After.ADD : after;
        this.factor = factor;
        bucket = Math.min(MatrixProducts.bucket(rows), x.rows());
        biasFirst = bias.length > 0 && after == After.NOTHING;
        if (rows <= mostDirectRows) return;
        for (Slice slice : slices) {
            FourBitTile tile = slice.scratch.tile(inputs);
            int whole = tile.panels() * PANEL;
            int count = slice.weights.outputs();
            if (count >= whole) tile.prepare(bucket, whole, x, y, this.after, factor);
            if (count % whole != 0) tile.prepare(bucket, count % whole, x, y, this.after, factor);
        }
    }

    @Override
    public void run(int item, int thread) {
        Slice slice = slices.get(item);
        if (bias.length > 0) addBias(slice);
        if (rows <= mostDirectRows) {
            slice.scratch
                    .rows()
                    .multiply(slice.weights, rows, x, y, after, factor, slice.firstOutput);
        } else {
            multiplyTiles(slice);
        }
    }

    private void multiplyTiles(Slice slice) {
        FourBitTile tile = slice.scratch.tile(inputs);
        FourBitWeights weights = slice.weights;
        for (int panel = 0; panel < weights.panels(); panel += tile.panels()) {
            int end = Math.min(panel + tile.panels(), weights.panels());
            for (int p = panel; p < end; p++) tile.unpack(weights, p, p - panel, slice.scratch);
            int count = Math.min(end * PANEL, weights.outputs()) - panel * PANEL;
            int column = slice.firstOutput + panel * PANEL;
            tile.multiply(bucket, count, x, y, after, factor, column);
        }
    }

    private void addBias(Slice slice) {
        int count = slice.weights.outputs();
        float[] sums = new float[count];
        for (int r = 0; r < rows; r++) {
            if (biasFirst) {
                y.put(r, slice.firstOutput, bias, slice.firstOutput, count);
                continue;
            }
            y.get(r, slice.firstOutput, sums, 0, count);
            for (int i = 0; i < count; i++) sums[i] += bias[slice.firstOutput + i];
            y.put(r, slice.firstOutput, sums, 0, count);
        }
    }

    @Override
    int sliceCount() {
        return slices.size();
    }

    @Override
    public int inputs() {
        return inputs;
    }

    @Override
    public int outputs() {
        return outputs;
    }

    @Override
    public long bytes() {
        return slices.stream().mapToLong(s -> s.weights.bytes()).sum() + 4L * bias.length;
    }

    @Override
    void free() {
        slices.clear();
    }
}
