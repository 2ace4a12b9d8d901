package org.tokenrate.device.cpu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.checkpoint.TensorFloats;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Residual;
import org.tokenrate.device.Table;
import org.tokenrate.device.Tensor;

/** The CPU: each operation is a small task of its own, shared out over the team. */
public final class CpuDevice implements Device {
    /** For the JVM itself, the activations and the rest of the machine. */
    private static final long RESERVED_BYTES = 1L << 30;

    private static final int[] ALL_ROWS = new int[0];

    private final DType dtype;
    private final DType inputs;
    private final Team team;
    private final Scratch[] scratch;
    private final MatrixProducts products;
    private final WeightMemory weights = new WeightMemory();
    private final MatrixLoader loader;
    private final FourBitScratch[] fourBitScratch;
    private final List<CpuTensor> tensors = new ArrayList<>();
    private final List<SlicedMatrix> matrices = new ArrayList<>();
    private final Embed embed;
    private final RmsNorm rmsNorm;
    private final GatedProduct gatedProduct = new GatedProduct();
    private final Sample sample;
    private final Collective collective;
    private LayerKernels<?> kernels;

    /** The operations that depend on the cache's element type and the heads' shape. */
    private record LayerKernels<A>(
            KvCache cache, AttentionShape shape, RopeAndStore<A> rope, Attention<A> attention) {}

    /**
     * @param dtype F32 or BF16
     * @param threads threads that compute, the caller's among them
     * @throws IllegalArgumentException if this CPU cannot multiply that type
     */
    public CpuDevice(DType dtype, int threads) {
        this(dtype, threads, new RankGroup(1, threads), 0);
    }

    /**
     * The ranks of one model. They share the CPU's cores and memory: each has its part of the
     * threads, but one at least.
     *
     * @param threads threads that compute, of all ranks together
     * @throws IllegalArgumentException if this CPU cannot multiply that type
     */
    public static List<Device> ranks(DType dtype, int threads, int ranks) {
        int each = Math.max(1, threads / ranks);
        RankGroup group = new RankGroup(ranks, each * ranks);
        List<Device> devices = new ArrayList<>();
        for (int r = 0; r < ranks; r++) devices.add(new CpuDevice(dtype, each, group, r));
        return devices;
    }

    private CpuDevice(DType dtype, int threads, RankGroup group, int rank) {
        requireMultiplied(dtype);
        if (Vectors.LANES > KvCache.TILE_TOKENS / 4) {
            throw new IllegalStateException("vectors of " + Vectors.LANES + " floats are too wide");
        }
        this.dtype = dtype;
        inputs = inputType(dtype);
        team = new Team(threads);
        scratch = new Scratch[threads];
        for (int i = 0; i < threads; i++) scratch[i] = new Scratch();
        products = new MatrixProducts(inputs, dtype);
        loader = new MatrixLoader(products, team, weights);
        fourBitScratch = new FourBitScratch[threads];
        for (int i = 0; i < threads; i++) {
            fourBitScratch[i] = new FourBitScratch(inputs);
        }
        embed = new Embed(scratch);
        rmsNorm = new RmsNorm(scratch);
        sample = new Sample(threads);
        collective = new Collective(group, rank, threads);
    }

    /** bf16 where oneDNN has fast products of such weights, else f32. */
    public static DType preferredType() {
        return multiplies(DType.BF16) ? DType.BF16 : DType.F32;
    }

    /**
     * What is multiplied with weights of a type. A CPU without bf16 arithmetic turns weights of
     * bf16 into f32 on their way to its registers, and so takes inputs of f32.
     */
    public static DType inputType(DType weights) {
        return OneDnn.hasBf16() ? weights : DType.F32;
    }

    /** Whether oneDNN has fast products of weights of that type on this CPU. */
    public static boolean multiplies(DType dtype) {
        return switch (dtype) {
            case F32 -> true;
            case BF16 -> OneDnn.hasBf16() || ProductCheck.bf16WeightsAreRight();
            case F16, I32 -> false;
        };
    }

    /**
     * @throws IllegalArgumentException unless it {@link #multiplies} the type, with what to do
     */
    public static void requireMultiplied(DType dtype) {
        if (multiplies(dtype)) return;
        throw new IllegalArgumentException(
                "dtype=%s: this CPU (%s) has no matrix products of that type; use dtype=f32, or auto"
                        .formatted(dtype.name().toLowerCase(Locale.ROOT), OneDnn.instructionSet()));
    }

    /** The processor's name. */
    public static String model() {
        return CpuModel.name();
    }

    /** This machine's CPU in words, without a device on it. */
    public static String here() {
        int cores = Runtime.getRuntime().availableProcessors();
        return "%s, %d cores, %s with oneDNN %s"
                .formatted(CpuModel.name(), cores, OneDnn.instructionSet(), OneDnn.version());
    }

    /** What it multiplies, in a sentence. */
    public static String types() {
        if (preferredType() == DType.F32) {
            return "dtype=auto is f32: there are no fast bf16 products for this CPU";
        }
        return OneDnn.hasBf16()
                ? "dtype=auto is bf16, which this CPU multiplies"
                : "dtype=auto is bf16: weights and cache in bf16, multiplied in f32";
    }

    @Override
    public String description() {
        int ranks = collective.ranks();
        String each = ranks == 1 ? "" : ranks + " ranks of ";
        return "%s, %s%d threads, %s"
                .formatted(CpuModel.name(), each, team.threads(), OneDnn.instructionSet());
    }

    @Override
    public DType dtype() {
        return dtype;
    }

    @Override
    public Map<String, String> versions() {
        return Map.of("oneDNN", OneDnn.version());
    }

    @Override
    public long freeBytes() {
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        // The heap may be promised more than the machine has left beside the weights.
        long machine = PhysicalMemory.bytes() - Pointer.totalBytes() - RESERVED_BYTES;
        return Math.max(0, Math.min(runtime.maxMemory(), machine) - used) / collective.ranks();
    }

    @Override
    public Residual newResidual(int rows, int columns) {
        return tensor(rows, columns, DType.F32);
    }

    @Override
    public Tensor newTensor(int rows, int columns) {
        return tensor(rows, columns, DType.F32);
    }

    @Override
    public Tensor newProduct(int rows, int columns) {
        return newTensor(rows, columns);
    }

    @Override
    public Tensor newInput(int rows, int columns) {
        return tensor(rows, columns, inputs);
    }

    private CpuTensor tensor(int rows, int columns, DType type) {
        CpuTensor tensor = new CpuTensor(MatrixProducts.bucket(rows), columns, type);
        tensors.add(tensor);
        return tensor;
    }

    @Override
    public Matrix loadMatrix(List<LinearData> parts, List<TensorData> bias) throws IOException {
        float[] added = joined(bias);
        return parts.get(0) instanceof AwqData
                ? loadFourBit(parts, added)
                : loadDense(parts, added);
    }

    private Matrix loadFourBit(List<LinearData> parts, float[] bias) throws IOException {
        FourBitMatrix matrix = new FourBitLoader(team, fourBitScratch).load(parts, bias);
        matrices.add(matrix);
        return matrix;
    }

    private Matrix loadDense(List<LinearData> parts, float[] bias) throws IOException {
        List<TensorData> rows = new ArrayList<>();
        for (LinearData part : parts) {
            if (!(part instanceof DenseData dense)) {
                throw new IOException(
                        part.name() + " is of 4 bits, " + parts.get(0).name() + " is not");
            }
            rows.add(dense.rows());
        }
        CpuMatrix matrix = loader.load(rows);
        matrices.add(matrix);
        if (bias.length > 0) matrix.addBias(bias);
        return matrix;
    }

    /** Vectors one behind the other. */
    private static float[] joined(List<TensorData> parts) throws IOException {
        float[] all = new float[0];
        for (TensorData part : parts) {
            float[] next = TensorFloats.rows(part, 0, 1);
            int before = all.length;
            all = Arrays.copyOf(all, before + next.length);
            System.arraycopy(next, 0, all, before, next.length);
        }
        return all;
    }

    @Override
    public Table loadTable(TensorData data) throws IOException {
        return new CpuTable(data, weights, team);
    }

    @Override
    public long kvBlockBytes(int blockTokens, int layers, int kvHeads, int headDim) {
        return (long) KvCache.blockElements(blockTokens, layers, kvHeads, headDim) * dtype.bytes();
    }

    @Override
    public KvCache newKvCache(int blocks, int blockTokens, int layers, int kvHeads, int headDim) {
        return dtype == DType.BF16
                ? new KvBlocks<>(new KvKernelBf16(), blocks, blockTokens, layers, kvHeads, headDim)
                : new KvBlocks<>(new KvKernelF32(), blocks, blockTokens, layers, kvHeads, headDim);
    }

    @Override
    public void iteration(Batch batch, KvCache cache, AttentionShape shape, Runnable operations) {
        operations.run();
    }

    @Override
    public void embed(Table table, int[] tokens, int rows, Residual x) {
        embed.run(team, (CpuTable) table, tokens, rows, (CpuTensor) x);
    }

    @Override
    public void rmsNorm(Residual x, Table weight, float eps, int rows, Tensor out) {
        rmsNorm(x, ALL_ROWS, weight, eps, rows, out);
    }

    @Override
    public void rmsNorm(Residual x, int[] index, Table weight, float eps, int rows, Tensor out) {
        rmsNorm.run(
                team,
                (CpuTensor) x,
                index,
                ((CpuTable) weight).vector(),
                eps,
                rows,
                (CpuTensor) out);
    }

    @Override
    public void linear(Tensor x, Matrix w, int rows, Tensor y) {
        ((SlicedMatrix) w).multiply(team, (CpuTensor) x, rows, (CpuTensor) y, false);
    }

    /**
     * The first rank's product goes on top of the residual, the others' stand alone; their sum over
     * the ranks is the new residual.
     */
    @Override
    public void addLinear(Tensor part, Matrix w, int rows, Residual x) {
        boolean onTop = collective.rank() == 0;
        ((SlicedMatrix) w).multiply(team, (CpuTensor) part, rows, (CpuTensor) x, onTop);
        allReduce((CpuTensor) x, rows);
    }

    void allReduce(CpuTensor x, int rows) {
        collective.allReduce(team, x, rows);
    }

    @Override
    public void ropeAndStore(
            Tensor qkv,
            Batch batch,
            KvCache cache,
            int layer,
            AttentionShape shape,
            Optional<HeadNorms> norms) {
        kernels(cache, shape).rope.run(team, (CpuTensor) qkv, batch, layer, norms);
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
        kernels(cache, shape)
                .attention
                .run(team, (CpuTensor) qkv, batch, layer, window, (CpuTensor) out);
    }

    private LayerKernels<?> kernels(KvCache cache, AttentionShape shape) {
        if (kernels == null || kernels.cache != cache || !kernels.shape.equals(shape)) {
            closeKernels();
            kernels = newKernels((KvBlocks<?>) cache, shape);
        }
        return kernels;
    }

    private void closeKernels() {
        if (kernels != null) kernels.attention.close();
        kernels = null;
    }

    private <A> LayerKernels<A> newKernels(KvBlocks<A> cache, AttentionShape shape) {
        RopeTable table = new RopeTable(shape.headDim(), shape.rope());
        return new LayerKernels<>(
                cache,
                shape,
                new RopeAndStore<>(scratch, table, shape, cache),
                new Attention<>(shape, cache, team.threads()));
    }

    @Override
    public void gatedLinear(Tensor x, Matrix gate, Matrix up, int rows, Tensor gated, Tensor out) {
        gatedProduct.run(
                team,
                (CpuTensor) x,
                (SlicedMatrix) gate,
                (SlicedMatrix) up,
                rows,
                (CpuTensor) gated,
                (CpuTensor) out);
    }

    @Override
    public void gather(Tensor part, int rows, Tensor whole) {
        collective.gather((CpuTensor) part, rows, (CpuTensor) whole);
    }

    @Override
    public void abort() {
        collective.abort();
    }

    @Override
    public void sample(Tensor logits, Batch batch, int[] chosen) {
        sample.run(team, (CpuTensor) logits, batch, chosen);
    }

    @Override
    public float[] read(Tensor tensor, int row) {
        return ((CpuTensor) tensor).toFloats(row);
    }

    @Override
    public void close() {
        team.close();
        matrices.forEach(SlicedMatrix::free);
        matrices.clear();
        tensors.forEach(CpuTensor::free);
        tensors.clear();
        loader.close();
        weights.close();
        for (FourBitScratch s : fourBitScratch) s.free();
        products.close();
        closeKernels();
    }
}
