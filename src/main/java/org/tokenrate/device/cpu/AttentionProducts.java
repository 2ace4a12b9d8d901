package org.tokenrate.device.cpu;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.KvCache;

// scores = q K^T;  p = softmax(scores, what is not visible at -infinity);  out = p V
// q: [rows, headDim] bf16, scaled; scores: [rows, context] f32; p: the same in bf16; out: bf16.
/**
 * Attention of many tokens of one sequence and KV head by oneDNN's products: prompts. They multiply
 * pairs of bf16 in one instruction, which Java cannot, and so are twice as fast as its loops.
 *
 * <p>Keys and values are copied from their blocks, where they lie as oneDNN wants weights, one
 * behind the other; then tiles of rows go over the whole context at once. Contexts are rounded up,
 * so that few primitives are made: they take milliseconds to make.
 *
 * <p>One thread's: it has its own memory.
 */
final class AttentionProducts implements AutoCloseable {
    /** Longer contexts would take more memory than they are worth: 32 KiB a row. */
    static final int MOST_CONTEXT = 8192;

    /** Fewer rows, heads of a group times tokens, are faster by Java's loops. */
    static final int LEAST_ROWS = 32;

    /** So are fewer rows times context: 64 tokens of one head took as long either way. */
    static final int LEAST_SCORES = 64 * 64;

    /** Rows of a tile: their scores stay in the second cache for prompts of some length. */
    private static final int TILE_ROWS = 64;

    private static final int HALF_TILE = TILE_ROWS / 2;
    private static final int KV_TILE = KvCache.TILE_TOKENS;

    /** Outputs of a panel of weights. */
    private static final int PANEL = 64;

    private final AttentionShape shape;
    private final float scale;
    private final int tileTokens;
    private final int capacity;
    private final CpuTensor q; // [TILE_ROWS, headDim]
    private final CpuTensor out; // [TILE_ROWS, headDim]
    private final CpuTensor scores; // [TILE_ROWS, capacity], of which each shape has its rows
    private final CpuTensor weights; // [TILE_ROWS, capacity] likewise
    private final FloatBuffer scoreFloats;
    private final BytePointer keys; // [capacity / 64 panels][headDim / 2][64] pairs
    private final BytePointer values; // [headDim / 64 panels][capacity / 2][64] pairs
    private final IntBuffer keyInts;
    private final IntBuffer valueInts;
    private final float[] hidden;
    private final float[] floats;
    private final short[] halves;
    private final int[] none = new int[KV_TILE / 2 * PANEL];
    private final BoundPrimitive[][][] steps; // by half and whole tile, and by context / 64

    private record Tile(int rows, int context) {}

    /**
     * Whether heads of that shape can be multiplied so.
     *
     * @param dtype of the cache and of what is multiplied
     */
    static boolean takes(AttentionShape shape, DType dtype) {
        return dtype == DType.BF16
                && OneDnn.hasBf16()
                && shape.headDim() % PANEL == 0
                && shape.group() <= HALF_TILE;
    }

    AttentionProducts(AttentionShape shape) {
        this.shape = shape;
        scale = (float) (1 / Math.sqrt(shape.headDim()));
        tileTokens = TILE_ROWS / shape.group();
        capacity = bucket(Math.min(shape.maxPositions(), MOST_CONTEXT));
        int dim = shape.headDim();
        q = new CpuTensor(TILE_ROWS, dim, DType.BF16);
        out = new CpuTensor(TILE_ROWS, dim, DType.BF16);
        scores = new CpuTensor(TILE_ROWS, capacity, DType.F32);
        weights = new CpuTensor(TILE_ROWS, capacity, DType.BF16);
        scoreFloats = scores.memory().asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
        keys = OneDnn.allocate((long) capacity * dim * Short.BYTES);
        values = OneDnn.allocate((long) capacity * dim * Short.BYTES);
        keyInts = keys.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        valueInts = values.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        hidden = new float[capacity];
        Arrays.fill(hidden, Float.NEGATIVE_INFINITY);
        floats = new float[shape.group() * dim];
        halves = new short[shape.group() * dim];
        steps = new BoundPrimitive[2][capacity / KV_TILE + 1][];
    }

    /** Tokens of the longest context that there is room for. */
    int mostContext() {
        return capacity;
    }

    /** The context that primitives are made for: steps of at most a fourth. */
    static int bucket(int context) {
        int step = Math.max(KV_TILE, Integer.highestOneBit(Math.max(1, context - 1)) / 4);
        return (context + step - 1) / step * step;
    }

    /**
     * Takes the keys and values of 64 tokens, of which the first {@code held} are the sequence's.
     */
    void load(int[] block, int keysAt, int valuesAt, int firstToken, int held) {
        int dim = shape.headDim();
        keyInts.put(firstToken * dim / 2, block, keysAt, dim / 2 * KV_TILE);
        int pairs = (held + 1) / 2;
        for (int panel = 0; panel < dim / PANEL; panel++) {
            int to = (panel * capacity + firstToken) / 2 * PANEL;
            if (dim == PANEL) {
                valueInts.put(to, block, valuesAt, pairs * PANEL);
            } else {
                for (int t = 0; t < pairs; t++) {
                    int from = valuesAt + t * dim + panel * PANEL;
                    valueInts.put(to + t * PANEL, block, from, PANEL);
                }
            }
            valueInts.put(to + pairs * PANEL, none, 0, (KV_TILE / 2 - pairs) * PANEL);
        }
    }

    /** Puts zeros behind the last token loaded: what lay there may be no numbers. */
    private void clear(int firstToken, int context) {
        for (int t = firstToken; t < context; t += KV_TILE) {
            for (int panel = 0; panel < shape.headDim() / PANEL; panel++) {
                valueInts.put((panel * capacity + t) / 2 * PANEL, none);
            }
        }
    }

    /**
     * Attention of tokens whose keys and values, and all before them, are loaded.
     *
     * @param first row of {@code qkv} and {@code to} of the first token
     * @param position of the first token
     */
    void run(CpuTensor qkv, int first, int tokens, int position, int kvHead, CpuTensor to) {
        int context = position + tokens;
        clear((context + KV_TILE - 1) / KV_TILE * KV_TILE, bucket(context));
        for (int t = 0; t < tokens; t += tileTokens) {
            int some = Math.min(tileTokens, tokens - t);
            tile(qkv, first + t, some, position + t, kvHead, to);
        }
    }

    private void tile(
            CpuTensor qkv, int first, int tokens, int position, int kvHead, CpuTensor to) {
        int group = shape.group();
        int width = group * shape.headDim();
        for (int t = 0; t < tokens; t++) {
            qkv.get(first + t, kvHead * shape.columnsPerKvHead(), floats, 0, width);
            for (int i = 0; i < width; i++) floats[i] *= scale;
            q.convert(t * group, 0, floats, width, halves);
        }
        int context = bucket(position + tokens);
        BoundPrimitive[] steps = steps(tokens * group > HALF_TILE, context);
        steps[0].run();
        for (int t = 0; t < tokens; t++) {
            int visible = position + t + 1;
            for (int g = 0; g < group; g++) {
                int row = (t * group + g) * context;
                scoreFloats.put(row + visible, hidden, 0, context - visible);
            }
        }
        for (int i = 1; i < steps.length; i++) steps[i].run();
        for (int t = 0; t < tokens; t++) {
            to.copy(first + t, kvHead * width, out, t * group, width);
        }
    }

    private BoundPrimitive[] steps(boolean whole, int context) {
        BoundPrimitive[][] made = steps[whole ? 1 : 0];
        int i = context / KV_TILE;
        if (made[i] == null) made[i] = make(new Tile(whole ? TILE_ROWS : HALF_TILE, context));
        return made[i];
    }

    private BoundPrimitive[] make(Tile tile) {
        int panels = shape.headDim() / PANEL;
        BoundPrimitive[] made = new BoundPrimitive[2 + panels];
        made[0] = scores(tile);
        made[1] = softmax(tile);
        for (int i = 0; i < panels; i++) made[2 + i] = weighted(tile, i);
        return made;
    }

    private BoundPrimitive scores(Tile tile) {
        int dim = shape.headDim();
        dnnl_memory_desc x = OneDnn.strided(tile.rows, dim, dnnl.dnnl_bf16, dim);
        dnnl_memory_desc w = OneDnn.pairPanels(dim, tile.context);
        dnnl_memory_desc y = OneDnn.strided(tile.rows, tile.context, dnnl.dnnl_f32, tile.context);
        return product(tile, x, w, y)
                .with(dnnl.DNNL_ARG_SRC, x, q.memory())
                .with(dnnl.DNNL_ARG_WEIGHTS, w, keys)
                .with(dnnl.DNNL_ARG_DST, y, scores.memory());
    }

    private BoundPrimitive weighted(Tile tile, int panel) {
        int dim = shape.headDim();
        dnnl_memory_desc x = OneDnn.strided(tile.rows, tile.context, dnnl.dnnl_bf16, tile.context);
        dnnl_memory_desc w = OneDnn.pairPanels(tile.context, PANEL);
        dnnl_memory_desc y = OneDnn.strided(tile.rows, PANEL, dnnl.dnnl_bf16, dim);
        long from = (long) panel * capacity * PANEL * Short.BYTES;
        return product(tile, x, w, y)
                .with(dnnl.DNNL_ARG_SRC, x, weights.memory())
                .with(dnnl.DNNL_ARG_WEIGHTS, w, values.getPointer(from))
                .with(dnnl.DNNL_ARG_DST, y, out.memory().getPointer(panel * PANEL * Short.BYTES));
    }

    private static BoundPrimitive product(
            Tile tile, dnnl_memory_desc x, dnnl_memory_desc w, dnnl_memory_desc y) {
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        dnnl_primitive_attr attributes = OneDnn.attributes();
        OneDnn.check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description, OneDnn.engine(), x, w, null, y, attributes),
                "dnnl_matmul_primitive_desc_create for " + tile);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        return new BoundPrimitive(description, tile);
    }

    private BoundPrimitive softmax(Tile tile) {
        dnnl_memory_desc x = OneDnn.strided(tile.rows, tile.context, dnnl.dnnl_f32, tile.context);
        dnnl_memory_desc y = OneDnn.strided(tile.rows, tile.context, dnnl.dnnl_bf16, tile.context);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        dnnl_primitive_attr attributes = OneDnn.attributes();
        OneDnn.check(
                dnnl.dnnl_softmax_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        dnnl.dnnl_softmax_accurate,
                        x,
                        y,
                        1,
                        attributes),
                "dnnl_softmax_forward_primitive_desc_create for " + tile);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        return new BoundPrimitive(description, tile)
                .with(dnnl.DNNL_ARG_SRC, x, scores.memory())
                .with(dnnl.DNNL_ARG_DST, y, weights.memory());
    }

    @Override
    public void close() {
        for (BoundPrimitive[][] made : steps) {
            for (BoundPrimitive[] of : made) {
                if (of != null) for (BoundPrimitive p : of) p.close();
            }
            Arrays.fill(made, null);
        }
        for (CpuTensor t : new CpuTensor[] {q, out, scores, weights}) t.free();
        keys.deallocate();
        values.deallocate();
    }
}
