package org.tokenrate.device.cpu;

import java.util.ArrayList;
import java.util.List;
import org.tokenrate.device.cpu.MatrixProducts.After;

/**
 * A matrix of 4-bit weights. A few rows are multiplied with the weights as they are; for more, the
 * weights are unpacked tile by tile, once for all rows, and each tile is multiplied by oneDNN.
 */
final class FourBitMatrix extends SlicedMatrix {
    private record Slice(int firstOutput, FourBitWeights weights, FourBitScratch scratch) {}

    private final int inputs;
    private final int mostDirectRows;
    private final float[] bias;
    private final List<Slice> slices = new ArrayList<>();
    private int outputs;

    private FourBitScratch.Call call =
            new FourBitScratch.Call(
                    0, 0, NONE, new Epilogue.Target(NONE, After.NOTHING, NONE), new float[0]);

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
        if (call.rows() == rows
                && call.x() == x
                && call.target().y() == y
                && call.target().after() == after
                && call.target().factor() == factor) {
            return;
        }
        int bucket = Math.min(MatrixProducts.bucket(rows), x.rows());
        var target = new Epilogue.Target(y, after, factor);
        call = new FourBitScratch.Call(rows, bucket, x, target, bias);
    }

    @Override
    public void run(int item, int thread) {
        Slice slice = slices.get(item);
        if (call.rows() <= mostDirectRows) {
            slice.scratch.multiplyDirectly(slice.weights, call, slice.firstOutput);
        } else {
            slice.scratch.multiplyByTiles(slice.weights, call, slice.firstOutput);
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
