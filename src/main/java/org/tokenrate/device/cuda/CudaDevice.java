package org.tokenrate.device.cuda;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.cache.CacheFolder;
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

/**
 * A GPU, as one rank. Operations are queued on its stream; only {@link #sample} and {@link #read}
 * wait. Iterations in which every sequence decodes are recorded as graphs and played back.
 */
final class CudaDevice implements Device {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);

    /** Free memory that is left to graphs and to what comes after the KV blocks: at most this. */
    private static final long RESERVED_BYTES = 512L << 20;

    private static final int RESERVED_SHARE = 20;

    private final DType dtype;
    private final GpuContext context;
    private final DeviceMemory memory;
    private final Closing closing = new Closing();
    private final Launcher launcher;
    private final Blas blas;
    private final KernelModules modules;
    private final TypeKernels kernels;
    private final Products products;
    private final RankLink ranks;
    private final Optional<Gather> gather;
    private final Optional<Graphs> graphs;
    private Optional<WeightLoader> loader = Optional.empty();
    private Optional<EventTimeline> timeline = Optional.empty();

    private boolean closed;

    // From the first iteration on.
    private BatchStage batch;
    private HeadKernels heads;
    private long chosen;
    private BytePointer chosenHere;
    private IntBuffer chosenInts;

    /**
     * @param dtype F16 or BF16
     * @param ranks what joins it to the others; closed with the device, or here if this fails
     * @param withGraphs whether decoding iterations are recorded
     */
    CudaDevice(Gpu gpu, DType dtype, RankLink ranks, boolean withGraphs) {
        this.dtype = dtype;
        this.ranks = ranks;
        try {
            gpu.requireSupported();
            context = closing.add(new GpuContext(gpu));
            closing.add(ranks);
            memory = closing.add(new DeviceMemory(context));
            launcher = closing.add(new Launcher(context));
            blas = closing.add(new Blas(context, memory, dtype));
            modules =
                    closing.add(
                            new KernelModules(
                                    gpu,
                                    dtype,
                                    new CubinCache(CacheFolder.root().resolve("cubins"))));
            kernels = new TypeKernels(modules, launcher);
            products = new Products(memory, blas, modules, launcher, kernels, dtype);
            gather =
                    ranks.ranks() > 1
                            ? Optional.of(new Gather(context, memory, modules, launcher, ranks))
                            : Optional.empty();
            graphs = withGraphs ? Optional.of(closing.add(new Graphs(context))) : Optional.empty();
        } catch (RuntimeException | Error e) {
            closing.close();
            ranks.close();
            throw e;
        }
    }

    @Override
    public String description() {
        return context.gpu().description();
    }

    @Override
    public DType dtype() {
        return dtype;
    }

    @Override
    public Map<String, String> versions() {
        Map<String, String> versions = new TreeMap<>();
        versions.put("CUDA driver", Gpu.driverVersion());
        versions.put("cuBLAS", blas.version());
        versions.put("NVRTC", modules.compilerVersion());
        ranks.version().ifPresent(v -> versions.put("NCCL", v));
        return versions;
    }

    @Override
    public long freeBytes() {
        context.makeCurrent();
        endLoading();
        long free = context.freeBytes();
        return free - Math.min(RESERVED_BYTES, free / RESERVED_SHARE);
    }

    @Override
    public Residual newResidual(int rows, int columns) {
        return new CudaResidual(tensor(rows, columns, DType.F32), tensor(rows, columns, dtype));
    }

    @Override
    public Tensor newTensor(int rows, int columns) {
        return tensor(rows, columns, DType.F32);
    }

    @Override
    public Tensor newProduct(int rows, int columns) {
        return tensor(rows, columns, dtype);
    }

    @Override
    public Tensor newInput(int rows, int columns) {
        return tensor(rows, columns, dtype);
    }

    private CudaTensor tensor(int rows, int columns, DType type) {
        context.makeCurrent();
        long bytes = (long) rows * columns * type.bytes();
        long address = memory.allocate(bytes, "activations of %d x %d".formatted(rows, columns));
        return new CudaTensor(rows, columns, type, new DevicePointer(address));
    }

    @Override
    public Matrix loadMatrix(List<LinearData> parts, List<TensorData> bias) throws IOException {
        return products.add(loader().matrix(parts, bias));
    }

    @Override
    public Table loadTable(TensorData data) throws IOException {
        return loader().table(data);
    }

    private WeightLoader loader() {
        context.makeCurrent();
        if (loader.isEmpty()) {
            loader = Optional.of(new WeightLoader(context, memory, modules, launcher, dtype));
        }
        return loader.get();
    }

    /** What loading needed is given back, what products need beside their weights is taken. */
    private void endLoading() {
        loader.ifPresent(WeightLoader::close);
        loader = Optional.empty();
        products.takeScratch();
        context.synchronize("loading");
    }

    @Override
    public long kvBlockBytes(int blockTokens, int layers, int kvHeads, int headDim) {
        return (long) KvCache.blockElements(blockTokens, layers, kvHeads, headDim) * dtype.bytes();
    }

    @Override
    public KvCache newKvCache(int blocks, int blockTokens, int layers, int kvHeads, int headDim) {
        context.makeCurrent();
        endLoading();
        HeadKernels.load(modules, headDim);
        int elements = KvCache.blockElements(blockTokens, layers, kvHeads, headDim);
        long bytes = (long) blocks * elements * dtype.bytes();
        LOG.info(
                "KV cache: {} blocks of {} tokens, {} tokens, {} bytes",
                blocks,
                blockTokens,
                (long) blocks * blockTokens,
                bytes);
        long address = memory.allocate(bytes, "%,d KV blocks".formatted(blocks));
        return new CudaKvCache(address, blocks, blockTokens, layers, kvHeads, headDim, elements);
    }

    @Override
    public void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations) {
        context.makeCurrent();
        if (heads == null || !heads.isFor(cache, shape)) prepare(batch, (CudaKvCache) cache, shape);
        boolean decodes = graphs.isPresent() && BatchStage.decodesOnly(batch);
        int rows = batch.tokenCount();
        if (decodes) rows = Graphs.bucket(rows, this.batch.maxSequences());
        this.batch.copy(batch, rows, heads.ropeByLength());
        if (decodes) {
            long form = (long) rows << Integer.SIZE | this.batch.contextTiles();
            timeline.ifPresent(t -> t.mute(true));
            graphs.get().run(form, () -> queue(operations));
            timeline.ifPresent(t -> t.mute(false));
        } else {
            queue(operations);
        }
    }

    private void queue(Runnable operations) {
        heads.prepareRope();
        operations.run();
    }

    /** Once for a cache. */
    private void prepare(Batch first, CudaKvCache cache, AttentionShape shape) {
        batch = closing.add(new BatchStage(context, memory, first, shape, cache.blockTiles()));
        heads =
                new HeadKernels(
                        context,
                        memory,
                        modules,
                        launcher,
                        shape,
                        cache,
                        batch,
                        first.tokens.length);
        long bytes = (long) batch.maxSequences() * Integer.BYTES;
        chosen = memory.allocate(bytes, "chosen tokens");
        chosenHere = memory.allocateHost(bytes, "chosen tokens");
        chosenInts = chosenHere.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
    }

    /** Rows to compute: those of the batch, or what it was filled up to. */
    private int filled(int rows) {
        return batch.rowsFor(rows);
    }

    @Override
    public void embed(Table table, int[] tokens, int rows, Residual x) {
        CudaResidual residual = (CudaResidual) x;
        kernels.embed((CudaTable) table, batch.tokens(), filled(rows), residual.sum());
        residual.settle();
    }

    @Override
    public void rmsNorm(Residual x, Table weight, float eps, int rows, Tensor out) {
        norm((CudaResidual) x, 0, weight, eps, rows, out);
        ((CudaResidual) x).settle();
    }

    /** Adds for itself alone what is to be added: the stream ends here. */
    @Override
    public void rmsNorm(Residual x, int[] index, Table weight, float eps, int rows, Tensor out) {
        norm((CudaResidual) x, batch.sampleRow(), weight, eps, rows, out);
    }

    private void norm(CudaResidual x, long index, Table weight, float eps, int rows, Tensor out) {
        CudaTable table = (CudaTable) weight;
        CudaTensor to = (CudaTensor) out;
        if (x.isPending()) kernels.addRmsNorm(x, index, table, eps, filled(rows), to);
        else kernels.rmsNorm(x.sum(), index, table, eps, filled(rows), to);
    }

    @Override
    public void linear(Tensor x, Matrix w, int rows, Tensor y) {
        products.multiply((CudaTensor) x, (CudaMatrix) w, filled(rows), (CudaTensor) y);
    }

    @Override
    public void addLinear(Tensor part, Matrix w, int rows, Residual x) {
        CudaResidual residual = (CudaResidual) x;
        CudaTensor product = residual.product();
        linear(part, w, rows, product);
        long elements = (long) filled(rows) * product.columns();
        ranks.allReduce(context, product.memory(), elements, dtype);
        residual.add();
    }

    @Override
    public void ropeAndStore(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            Optional<HeadNorms> norms) {
        heads.ropeAndStore((CudaTensor) qkv, layer, norms);
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
        heads.attention((CudaTensor) qkv, layer, window, (CudaTensor) out);
    }

    @Override
    public void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out) {
        linear(x, gate, rows, gated);
        linear(x, up, rows, out);
        kernels.siluMultiply((CudaTensor) gated, (CudaTensor) out, (CudaTensor) out, filled(rows));
    }

    @Override
    public void gather(Tensor part, int rows, Tensor whole) {
        gather.ifPresent(g -> g.run((CudaTensor) part, filled(rows), (CudaTensor) whole));
    }

    @Override
    public void abort() {
        ranks.abort();
    }

    @Override
    public Optional<Timeline> newTimeline() {
        timeline = Optional.of(closing.add(new EventTimeline(context)));
        return timeline.map(t -> t);
    }

    @Override
    public void sample(Tensor logits, Batch batch, int[] chosen) {
        int samples = batch.sampleCount();
        kernels.sample((CudaTensor) logits, this.batch, samples, this.chosen);
        Status.driver(
                cudart.cuMemcpyDtoHAsync(
                        chosenHere, this.chosen, (long) samples * Integer.BYTES, context.stream()),
                "cuMemcpyDtoHAsync of chosen tokens");
        context.synchronize("an iteration");
        ranks.requireAlive();
        chosenInts.get(0, chosen, 0, samples);
        for (int i = 0; i < samples; i++) {
            if (chosen[i] < 0) {
                throw new IllegalStateException(
                        "the model's logits are not finite numbers: its weights or this engine are"
                                + " broken");
            }
        }
    }

    @Override
    public float[] read(Tensor tensor, int row) {
        context.makeCurrent();
        CudaTensor t = (CudaTensor) tensor;
        context.synchronize("reading");
        long rowBytes = (long) t.columns() * t.type().bytes();
        float[] floats = new float[t.columns()];
        try (BytePointer bytes = new BytePointer(rowBytes)) {
            Status.driver(
                    cudart.cuMemcpyDtoH(bytes, t.address() + row * rowBytes, rowBytes),
                    "cuMemcpyDtoH");
            var buffer = bytes.asByteBuffer().order(ByteOrder.nativeOrder());
            for (int i = 0; i < floats.length; i++) {
                floats[i] =
                        switch (t.type()) {
                            case BF16 -> SixteenBits.fromBf16(buffer.getShort(2 * i));
                            case F16 -> SixteenBits.fromF16(buffer.getShort(2 * i));
                            case F32, I32 -> buffer.getFloat(4 * i);
                        };
            }
        }
        return floats;
    }

    /** Graphs launched so far; for tests. */
    long graphsPlayed() {
        return graphs.map(Graphs::played).orElse(0L);
    }

    /** Bytes held on the device; for tests. */
    long heldBytes() {
        return memory.bytes();
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        try {
            context.makeCurrent();
            context.synchronize("the last iteration");
        } catch (CudaException e) {
            LOG.debug(
                    "{}", e.getMessage()); // a lost device: what can be freed is freed all the same
        }
        loader.ifPresent(WeightLoader::close);
        loader = Optional.empty();
        closing.close();
    }
}
