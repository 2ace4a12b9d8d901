package org.tokenrate.device.cuda;

import java.util.List;
import java.util.Optional;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.DoublePointer;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.RopeScaling;

/** The kernels of attention, compiled for a head size, on one cache. */
final class HeadKernels {
    /** Head sizes that the kernels are written for. */
    static final List<Integer> HEAD_SIZES = List.of(64, 80, 96, 128);

    private static final int ROPE_TABLE_THREADS = 32;
    private static final int THREADS = 128;
    private static final int WARP = 32;

    /** Queries of a KV head's group that a block of the decode kernel takes. */
    private static final int ROWS_AT_ONCE = 16;

    /** Blocks of the decode kernel that a multiprocessor runs at once. */
    private static final int BLOCKS_A_MULTIPROCESSOR = 3;

    /** Tiles of the cache. A shorter split costs more to join than it saves. */
    private static final int LEAST_SPLIT = 4;

    private static final int MOST_SPLITS = 64;

    private final GpuContext context;
    private final Launcher launcher;
    private final AttentionShape shape;
    private final CudaKvCache cache;
    private final BatchStage batch;
    private final Kernel ropeTable;
    private final Kernel ropeAndStore;
    private final Kernel prefill;
    private final Kernel decode;
    private final Kernel reduce;

    /** {@code [lengths, headDim / 2]} f64, half turns a position. */
    private final long frequencies;

    /** {@code [tokens, headDim / 2]} pairs of cosine and sine. */
    private final long turns;

    private final long partial;
    private final long partialScale;

    /** Compiles and loads them, so that the first iteration does not. */
    static void load(KernelModules modules, int headDim) {
        for (String file : List.of("rope.cu", "prefill.cu", "decode.cu")) {
            modules.load(file, headDim);
        }
    }

    HeadKernels(
            GpuContext context,
            DeviceMemory memory,
            KernelModules modules,
            Launcher launcher,
            AttentionShape shape,
            CudaKvCache cache,
            BatchStage batch,
            int maxTokens) {
        this.context = context;
        this.launcher = launcher;
        this.shape = shape;
        this.cache = cache;
        this.batch = batch;
        int dim = shape.headDim();
        ropeTable = modules.kernel("rope.cu", "rope_table", dim);
        ropeAndStore = modules.kernel("rope.cu", "rope_and_store", dim);
        prefill = modules.kernel("prefill.cu", "attention_prefill", dim);
        decode = modules.kernel("decode.cu", "attention_decode", dim);
        reduce = modules.kernel("decode.cu", "attention_decode_reduce", dim);
        frequencies = frequencies(memory);
        turns = memory.allocate((long) maxTokens * dim * Float.BYTES, "rotary embeddings");
        long most = mostPartials(maxTokens);
        partial = memory.allocate(most * dim * Float.BYTES, "parts of split attention");
        partialScale = memory.allocate(most * 2 * Float.BYTES, "parts of split attention");
    }

    /** Where frequencies depend on the sequence's length, a row for each; else one. */
    private long frequencies(DeviceMemory memory) {
        RopeScaling scaling = shape.rope().scaling();
        int rows = scaling.dependsOnLength() ? shape.maxPositions() + 1 : 1;
        int half = shape.headDim() / 2;
        long bytes = (long) rows * half * Double.BYTES;
        long table = memory.allocate(bytes, "rotary frequencies");
        try (DoublePointer values = new DoublePointer((long) rows * half)) {
            for (int length = 0; length < rows; length++) {
                for (int i = 0; i < half; i++) {
                    double f = shape.rope().frequency(shape.headDim(), i, length);
                    values.put((long) length * half + i, f / Math.PI);
                }
            }
            // On our stream: what is copied outside of it may arrive after kernels begin.
            Status.driver(
                    cudart.cuMemcpyHtoDAsync(table, values, bytes, context.stream()),
                    "cuMemcpyHtoDAsync of rotary frequencies");
            context.synchronize("copying rotary frequencies");
        }
        return table;
    }

    boolean ropeByLength() {
        return shape.rope().scaling().dependsOnLength();
    }

    boolean isFor(KvCache cache, AttentionShape shape) {
        return this.cache == cache && this.shape.equals(shape);
    }

    private int rowTiles() {
        return (shape.group() + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    }

    /**
     * Blocks of threads that share the contexts of so many tokens; 1 to write at once.
     *
     * @param contextTiles tiles of the cache that the longest context has
     */
    private int splits(int tokens, int contextTiles) {
        int blocks = tokens * shape.kvHeads() * rowTiles();
        int running = BLOCKS_A_MULTIPROCESSOR * context.gpu().multiprocessors();
        int filling = (running + blocks - 1) / blocks;
        return Math.max(1, Math.min(filling, Math.min(contextTiles / LEAST_SPLIT, MOST_SPLITS)));
    }

    /** Most parts {@code [tokens, heads, splits]} that any number of tokens has. */
    private long mostPartials(int maxTokens) {
        long most = 1;
        for (int n = 1; n <= maxTokens; n++) {
            int splits = splits(n, batch.mostContextTiles());
            if (splits == 1) break; // more tokens are split no further
            most = Math.max(most, (long) n * shape.heads() * splits);
        }
        return most;
    }

    /** Cosines and sines of the batch's positions, for all layers. */
    void prepareRope() {
        launcher.pointer(batch.positions())
                .pointer(ropeByLength() ? batch.ropeRow() : 0)
                .pointer(frequencies)
                .pointer(turns)
                .launch(ropeTable, batch.rows(), 1, 1, ROPE_TABLE_THREADS);
    }

    void ropeAndStore(CudaTensor qkv, int layer, Optional<HeadNorms> norms) {
        launcher.pointer(qkv.address())
                .pointer(batch.positions())
                .pointer(batch.sequenceOf())
                .pointer(batch.blockTable())
                .integer(batch.tableWidth())
                .pointer(turns);
        if (norms.isPresent()) {
            HeadNorms n = norms.get();
            launcher.pointer(((CudaTable) n.query()).address())
                    .pointer(((CudaTable) n.key()).address())
                    .real(n.eps());
        } else {
            launcher.pointer(0).pointer(0).real(0);
        }
        launcher.pointer(cache.address())
                .integer(cache.blockElements())
                .integer(cache.blockTiles())
                .integer(layer)
                .integer(shape.kvHeads())
                .integer(shape.group())
                .launch(ropeAndStore, batch.rows(), shape.kvHeads(), 1, THREADS);
    }

    void attention(CudaTensor qkv, int layer, int window, CudaTensor out) {
        float scale = (float) (1 / Math.sqrt(shape.headDim()));
        if (batch.tileCount() > 0) {
            launcher.pointer(qkv.address())
                    .pointer(cache.address())
                    .pointer(batch.tiles())
                    .pointer(batch.start())
                    .pointer(batch.positions());
            layerArguments(layer, window, scale)
                    .pointer(out.address())
                    .launch(prefill, batch.tileCount(), shape.kvHeads(), 1, THREADS);
        }
        int singles = batch.singleCount();
        if (singles == 0) return;
        int splits = splits(singles, batch.contextTiles());
        launcher.pointer(qkv.address())
                .pointer(cache.address())
                .pointer(batch.single())
                .pointer(batch.positions())
                .pointer(batch.sequenceOf());
        layerArguments(layer, window, scale)
                .pointer(partial)
                .pointer(partialScale)
                .pointer(out.address())
                .launch(decode, singles, shape.kvHeads() * rowTiles(), splits, THREADS);
        if (splits == 1) return;
        launcher.pointer(batch.single())
                .pointer(batch.positions())
                .integer(window)
                .integer(splits)
                .pointer(partial)
                .pointer(partialScale)
                .pointer(out.address())
                .launch(
                        reduce,
                        singles,
                        shape.heads(),
                        1,
                        (shape.headDim() + WARP - 1) / WARP * WARP);
    }

    private Launcher layerArguments(int layer, int window, float scale) {
        return launcher.pointer(batch.blockTable())
                .integer(batch.tableWidth())
                .integer(cache.blockElements())
                .integer(cache.blockTiles())
                .integer(layer)
                .integer(shape.kvHeads())
                .integer(shape.group())
                .integer(window)
                .real(scale);
    }
}
