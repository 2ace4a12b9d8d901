package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;

/**
 * A device that runs a model's matrix products and leaves out everything else: what an engine's
 * time would be if nothing but its products cost any. The tokens mean nothing; the shapes are the
 * same.
 */
final class ProductsOnlyDevice extends NoOpDevice {
    private final Device device;

    /** Where products are left that would be added to the residual stream. */
    private record Results(Tensor products) implements Residual {}

    ProductsOnlyDevice(Device device) {
        super(0);
        this.device = device;
    }

    /** For each rank's device. */
    static List<Device> onEach(List<Device> devices) {
        return devices.stream().<Device>map(ProductsOnlyDevice::new).toList();
    }

    @Override
    public String description() {
        return device.description() + ", products only";
    }

    @Override
    public DType dtype() {
        return device.dtype();
    }

    @Override
    public Map<String, String> versions() {
        return device.versions();
    }

    @Override
    public long freeBytes() {
        return device.freeBytes();
    }

    @Override
    public Residual newResidual(int rows, int columns) {
        return new Results(device.newProduct(rows, columns));
    }

    @Override
    public Tensor newTensor(int rows, int columns) {
        return device.newTensor(rows, columns);
    }

    @Override
    public Tensor newProduct(int rows, int columns) {
        return device.newProduct(rows, columns);
    }

    @Override
    public Tensor newInput(int rows, int columns) {
        return device.newInput(rows, columns);
    }

    @Override
    public Matrix loadMatrix(List<LinearData> parts, List<TensorData> bias) throws IOException {
        return device.loadMatrix(parts, bias);
    }

    @Override
    public Table loadTable(TensorData data) throws IOException {
        return device.loadTable(data);
    }

    @Override
    public long kvBlockBytes(int blockTokens, int layers, int kvHeads, int headDim) {
        return device.kvBlockBytes(blockTokens, layers, kvHeads, headDim);
    }

    @Override
    public KvCache newKvCache(int blocks, int blockTokens, int layers, int kvHeads, int headDim) {
        return device.newKvCache(blocks, blockTokens, layers, kvHeads, headDim);
    }

    @Override
    public void linear(Tensor x, Matrix w, int rows, Tensor y) {
        device.linear(x, w, rows, y);
    }

    @Override
    public void addLinear(Tensor part, Matrix w, int rows, Residual x) {
        device.linear(part, w, rows, ((Results) x).products());
    }

    @Override
    public void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out) {
        device.gatedLinear(x, gate, up, rows, gated, out);
    }

    @Override
    public void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations) {
        device.iteration(batch, cache, shape, operations);
    }

    @Override
    public float[] read(Tensor tensor, int row) {
        return device.read(tensor, row);
    }

    @Override
    public void close() {
        device.close();
    }
}
