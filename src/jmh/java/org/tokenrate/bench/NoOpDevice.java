package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;

/** A device that computes nothing and holds nothing, in no time: every token is 0. */
class NoOpDevice implements Device {
    private final long kvBlocks;

    /**
     * @param kvBlocks that there is memory for
     */
    NoOpDevice(long kvBlocks) {
        this.kvBlocks = kvBlocks;
    }

    private record NoTensor(int rows, int columns) implements Tensor {}

    private record NoMatrix(int inputs, int outputs) implements Matrix {
        @Override
        public long bytes() {
            return 0;
        }
    }

    @Override
    public String description() {
        return "no device";
    }

    @Override
    public DType dtype() {
        return DType.F32;
    }

    @Override
    public Map<String, String> versions() {
        return Map.of();
    }

    @Override
    public long freeBytes() {
        return kvBlocks;
    }

    @Override
    public Residual newResidual(int rows, int columns) {
        return new Residual() {};
    }

    @Override
    public Tensor newTensor(int rows, int columns) {
        return new NoTensor(rows, columns);
    }

    @Override
    public Tensor newProduct(int rows, int columns) {
        return new NoTensor(rows, columns);
    }

    @Override
    public Tensor newInput(int rows, int columns) {
        return new NoTensor(rows, columns);
    }

    @Override
    public Matrix loadMatrix(List<LinearData> parts, List<TensorData> bias) throws IOException {
        return new NoMatrix(0, 0);
    }

    @Override
    public Table loadTable(TensorData data) throws IOException {
        return () -> 0;
    }

    @Override
    public long kvBlockBytes(int blockTokens, int layers, int kvHeads, int headDim) {
        return 1;
    }

    @Override
    public KvCache newKvCache(int blocks, int blockTokens, int layers, int kvHeads, int headDim) {
        return () -> blockTokens;
    }

    @Override
    public void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations) {
        operations.run();
    }

    @Override
    public void embed(Table table, int[] tokens, int rows, Residual x) {}

    @Override
    public void rmsNorm(Residual x, Table weight, float eps, int rows, Tensor out) {}

    @Override
    public void rmsNorm(Residual x, int[] index, Table weight, float eps, int rows, Tensor out) {}

    @Override
    public void linear(Tensor x, Matrix w, int rows, Tensor y) {}

    @Override
    public void addLinear(Tensor part, Matrix w, int rows, Residual x) {}

    @Override
    public void ropeAndStore(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            Optional<HeadNorms> norms) {}

    @Override
    public void attention(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            int window,
            Tensor out) {}

    @Override
    public void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out) {}

    @Override
    public void gather(Tensor part, int rows, Tensor whole) {}

    @Override
    public void abort() {}

    @Override
    public void sample(Tensor logits, Batch batch, int[] chosen) {}

    @Override
    public float[] read(Tensor tensor, int row) {
        return new float[tensor.columns()];
    }

    @Override
    public void close() {}
}
