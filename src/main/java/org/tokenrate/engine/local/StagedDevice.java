package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.Arrays;
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
import org.tokenrate.device.Timeline;
import org.tokenrate.engine.Stage;

/**
 * A device that tells a clock which stage of an iteration each operation is of. Where operations
 * are done when they return, the thread that calls them is the clock's; where they are queued, the
 * device's own times are taken, and what an iteration took beyond them is {@link Stage#QUEUE}.
 */
final class StagedDevice implements Device {
    private final Device device;
    private final RunningStageClock clock;
    private final boolean hasOtherRanks;
    private final Optional<Timeline> timeline;
    private final long[] nanos = new long[Stage.values().length];

    /** Of the operation before: what a product is for follows from it. */
    private Stage stage = Stage.IDLE;

    /**
     * @param hasOtherRanks whether it is one of several; else joining them takes no time
     */
    StagedDevice(Device device, RunningStageClock clock, boolean hasOtherRanks) {
        this.device = device;
        this.clock = clock;
        this.hasOtherRanks = hasOtherRanks;
        timeline = device.newTimeline();
    }

    private void enter(Stage next) {
        stage = next;
        if (timeline.isPresent()) timeline.get().mark(next.ordinal());
        else clock.enter(next);
    }

    @Override
    public void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations) {
        if (timeline.isPresent()) {
            clock.enter(Stage.QUEUE);
            enter(Stage.GRAPH);
        }
        device.iteration(batch, cache, shape, operations);
        if (batch.sampleCount() == 0) collect();
    }

    @Override
    public void sample(Tensor logits, Batch batch, int[] chosen) {
        enter(Stage.SAMPLE);
        device.sample(logits, batch, chosen);
        collect();
    }

    private void collect() {
        if (timeline.isEmpty()) return;
        Arrays.fill(nanos, 0);
        timeline.get().collect(nanos);
        clock.divide(nanos, Stage.QUEUE);
    }

    @Override
    public void embed(Table table, int[] tokens, int rows, Residual x) {
        enter(Stage.EMBED);
        device.embed(table, tokens, rows, x);
    }

    @Override
    public void rmsNorm(Residual x, Table weight, float eps, int rows, Tensor out) {
        enter(Stage.NORM);
        device.rmsNorm(x, weight, eps, rows, out);
    }

    @Override
    public void rmsNorm(Residual x, int[] index, Table weight, float eps, int rows, Tensor out) {
        enter(Stage.NORM);
        device.rmsNorm(x, index, weight, eps, rows, out);
        stage = Stage.HEAD; // of chosen rows only logits are made
    }

    @Override
    public void linear(Tensor x, Matrix w, int rows, Tensor y) {
        enter(stage == Stage.HEAD ? Stage.HEAD : Stage.QKV);
        device.linear(x, w, rows, y);
    }

    @Override
    public void addLinear(Tensor part, Matrix w, int rows, Residual x) {
        if (stage != Stage.MLP) enter(Stage.OUTPUT);
        device.addLinear(part, w, rows, x);
    }

    @Override
    public void ropeAndStore(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            Optional<HeadNorms> norms) {
        enter(Stage.ROPE);
        device.ropeAndStore(qkv, batch, cache, layer, shape, norms);
    }

    @Override
    public void attention(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            int window,
            Tensor out) {
        enter(Stage.ATTENTION);
        device.attention(qkv, batch, cache, layer, shape, window, out);
    }

    @Override
    public void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out) {
        enter(Stage.MLP);
        device.gatedLinear(x, gate, up, rows, gated, out);
    }

    @Override
    public void gather(Tensor part, int rows, Tensor whole) {
        if (hasOtherRanks) enter(Stage.GATHER);
        device.gather(part, rows, whole);
    }

    @Override
    public String description() {
        return device.description();
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
        return device.newResidual(rows, columns);
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
    public void abort() {
        device.abort();
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
