package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;

// out[t, h, :] = sum over u of softmax_u(q[t, h] . k[u, g] / sqrt(headDim)) v[u, g]
// g = h / group; u from t - window + 1 to t
// qkv: [tokens, kvHeads (group + 2) headDim] f32; out: [tokens, heads headDim] dtype.
// Flash attention: tile by tile of the cache, with a running maximum and sum for each row, so
// that scores never leave the first cache (https://arxiv.org/abs/2205.14135, algorithm 1).
// A sequence that decodes goes over the heads of a tile one behind the other, since they lie so:
// memory is fastest at long runs. Prompts go by oneDNN's products where it has fast ones.
final class Attention<A> implements Team.Task, AutoCloseable {
    /** Tokens of a prompt that go over the cache together: their sums still fit the first cache. */
    private static final int MOST_TOKENS = 16;

    /** Items to have for each thread, if there are heads to make them of: for an even share. */
    private static final int ITEMS_A_THREAD = 2;

    private static final int TILE = KvCache.TILE_TOKENS;
    private static final int ROWS = 4;
    private static final int LANES = Vectors.LANES;
    private static final int ITEM_BITS = 24;
    private static final long MAX_WORK = (1L << 62 - ITEM_BITS) - 1;

    private final AttentionShape shape;
    private final KvBlocks<A> cache;
    private final Work[] work;
    private final AttentionProducts[] products; // one a thread, or none
    private final float scale;
    private CpuTensor qkv;
    private CpuTensor out;
    private Batch batch;
    private int layer;
    private int window;
    private Batch tiledBatch;
    private long tiledVersion;
    private int tiledWindow;
    private int itemCount;
    private long[] order = new long[64]; // by falling work; the lowest bits are the item
    private Item[] items = new Item[0];

    Attention(AttentionShape shape, KvBlocks<A> cache, int threads) {
        this.shape = shape;
        this.cache = cache;
        scale = (float) (1 / Math.sqrt(shape.headDim()));
        work = new Work[threads];
        int rows = Math.max(MOST_TOKENS * shape.group(), shape.heads());
        for (int i = 0; i < threads; i++) work[i] = new Work(rows, shape.headDim());
        boolean fast = AttentionProducts.takes(shape, cache.kernel().type());
        products = new AttentionProducts[fast ? threads : 0];
        for (int i = 0; i < products.length; i++) products[i] = new AttentionProducts(shape);
    }

    /**
     * Some tokens of a sequence and some of its KV heads; one of both if they are many of the
     * other.
     */
    private static final class Item {
        int firstToken;
        int tokens;
        int firstHead;
        int heads;
        boolean byProducts;
    }

    /** One thread's rows. */
    private static final class Work {
        final float[] q; // [rows, headDim], scaled
        final float[] sums; // [rows, headDim]
        final float[] maximum; // [rows]
        final float[] total; // [rows, LANES]: a sum across lanes is slow, so it waits for the end
        final float[] scores = new float[ROWS * TILE];
        final float[] decay = new float[ROWS];
        final float[] head; // [headDim]
        final short[] halves; // [headDim]

        Work(int rows, int headDim) {
            q = new float[rows * headDim];
            sums = new float[rows * headDim];
            maximum = new float[rows];
            total = new float[rows * LANES];
            head = new float[headDim];
            halves = new short[headDim];
        }
    }

    void run(Team team, CpuTensor qkv, Batch batch, int layer, int window, CpuTensor out) {
        this.qkv = qkv;
        this.batch = batch;
        this.layer = layer;
        this.window = window;
        this.out = out;
        boolean tiled =
                tiledBatch == batch && tiledVersion == batch.version() && tiledWindow == window;
        if (!tiled) cut();
        team.run(this, itemCount);
    }

    /** Cuts the batch into items, the most work first: an item that starts last is short. */
    private void cut() {
        tiledBatch = batch;
        tiledVersion = batch.version();
        tiledWindow = window;
        itemCount = 0;
        int sequences = batch.sequenceCount();
        int parts = (ITEMS_A_THREAD * work.length + sequences - 1) / sequences;
        int headsAtOnce = Math.max(1, shape.kvHeads() / parts);
        for (int s = 0; s < sequences; s++) {
            int first = batch.start[s];
            int end = batch.start[s + 1];
            boolean byProducts = goesByProducts(first, end - first);
            int step = byProducts ? tokensAtOnce(end - first, parts) : MOST_TOKENS;
            for (int t = first; t < end; t += step) {
                int tokens = Math.min(step, end - t);
                addItems(t, tokens, tokens > 1 ? 1 : headsAtOnce, byProducts);
            }
        }
        Arrays.sort(order, 0, itemCount);
    }

    private boolean goesByProducts(int first, int tokens) {
        int rows = tokens * shape.group();
        int context = batch.positions[first] + tokens;
        return products.length > 0
                && rows >= AttentionProducts.LEAST_ROWS
                && (long) rows * context >= AttentionProducts.LEAST_SCORES
                && context <= products[0].mostContext()
                && window >= context;
    }

    /** All tokens, which share what is copied for them, unless there are few heads to share out. */
    private int tokensAtOnce(int tokens, int parts) {
        int cuts = Math.max(1, parts / shape.kvHeads());
        return Math.max(MOST_TOKENS, (tokens + cuts - 1) / cuts);
    }

    private void addItems(int token, int tokens, int headsAtOnce, boolean byProducts) {
        int last = token + tokens - 1;
        long context = batch.positions[last] + 1 - firstSeen(batch.positions[token]);
        for (int h = 0; h < shape.kvHeads(); h += headsAtOnce) {
            if (itemCount == items.length) grow();
            Item item = items[itemCount];
            item.firstToken = token;
            item.tokens = tokens;
            item.firstHead = h;
            item.heads = Math.min(headsAtOnce, shape.kvHeads() - h);
            item.byProducts = byProducts;
            order[itemCount] = MAX_WORK - context * tokens * item.heads << ITEM_BITS | itemCount;
            itemCount++;
        }
    }

    private void grow() {
        int before = items.length;
        items = Arrays.copyOf(items, Math.max(64, 2 * before));
        for (int i = before; i < items.length; i++) items[i] = new Item();
        order = Arrays.copyOf(order, items.length);
    }

    /** The first position that a token sees. */
    private int firstSeen(int position) {
        return Math.max(0, position - window + 1);
    }

    @Override
    public void run(int i, int thread) {
        Item item = items[(int) (order[i] & (1 << ITEM_BITS) - 1)];
        if (item.byProducts) runByProducts(products[thread], item);
        else runByLoops(work[thread], item);
    }

    private void runByProducts(AttentionProducts p, Item item) {
        int first = item.firstToken;
        int position = batch.positions[first];
        int context = position + item.tokens;
        int[] blocks = batch.blocks[batch.sequenceOf[first]];
        for (int start = 0; start < context; start += TILE) {
            int[] block = (int[]) cache.block(blocks, start);
            int keys = cache.keys(layer, start, item.firstHead);
            p.load(block, keys, cache.values(keys), start, Math.min(TILE, context - start));
        }
        p.run(qkv, first, item.tokens, position, item.firstHead, out);
    }

    private void runByLoops(Work w, Item item) {
        int first = item.firstToken;
        int sequence = batch.sequenceOf[first];
        int dim = shape.headDim();
        int headRows = item.tokens * shape.group();
        int rows = headRows * item.heads;
        loadQueries(w, item);
        Arrays.fill(w.sums, 0, rows * dim, 0f);
        Arrays.fill(w.maximum, 0, rows, Float.NEGATIVE_INFINITY);
        Arrays.fill(w.total, 0, rows * LANES, 0f);

        int firstPosition = batch.positions[first];
        int context = firstPosition + item.tokens;
        int firstTile = firstSeen(firstPosition) / TILE;
        for (int start = firstTile * TILE; start < context; start += TILE) {
            A block = cache.block(batch.blocks[sequence], start);
            for (int h = 0; h < item.heads; h++) {
                int keys = cache.keys(layer, start, item.firstHead + h);
                int values = cache.values(keys);
                addTile(w, block, keys, values, start, firstPosition, h * headRows, headRows);
            }
        }
        storeResults(w, item);
    }

    /** One tile's keys and values for the rows of one KV head. */
    private void addTile(
            Work w,
            A block,
            int keys,
            int values,
            int start,
            int firstPosition,
            int firstRow,
            int rows) {
        KvKernel<A> kernel = cache.kernel();
        int group = shape.group();
        int dim = shape.headDim();
        int held = Math.min(TILE, firstPosition + rows / group - start);
        for (int row = 0, some; row < rows; row += some) {
            some = rows - row >= ROWS ? ROWS : 1;
            int at = (firstRow + row) * dim;
            kernel.scores(block, keys, w.q, at, dim, some, w.scores);
            for (int r = 0; r < some; r++) {
                int position = firstPosition + (row + r) / group;
                int from = Math.max(0, firstSeen(position) - start);
                int visible = Math.min(held, position + 1 - start);
                softmaxStep(w, firstRow + row + r, r, from, visible);
            }
            kernel.accumulate(block, values, w.scores, held, w.decay, w.sums, at, dim, some);
        }
    }

    /** The rows of each head, one head's behind the other's. */
    private void loadQueries(Work w, Item item) {
        int width = shape.group() * shape.headDim();
        int at = 0;
        for (int h = item.firstHead; h < item.firstHead + item.heads; h++) {
            for (int t = 0; t < item.tokens; t++, at += width) {
                qkv.get(item.firstToken + t, h * shape.columnsPerKvHead(), w.q, at, width);
            }
        }
        for (int i = 0; i < at; i++) w.q[i] *= scale;
    }

    /**
     * Turns a row's scores over one block into weights relative to the row's running maximum, and
     * says by how much what was summed before decays.
     *
     * @param from first token of the block in the row's window
     * @param visible end of those that are not in the row's future; none are left where it is not
     *     above {@code from}
     */
    private static void softmaxStep(Work w, int row, int r, int from, int visible) {
        int at = r * TILE;
        if (visible <= from) {
            Arrays.fill(w.scores, at, at + TILE, 0f);
            w.decay[r] = 1f;
            return;
        }
        boolean whole = from == 0 && visible == TILE;
        if (!whole) hide(w.scores, at, from, visible, Float.NEGATIVE_INFINITY);
        float maximum = Math.max(w.maximum[row], Vectors.maximum(w.scores, at, TILE));
        FloatVector largest = FloatVector.broadcast(Vectors.F, maximum);
        FloatVector sum = FloatVector.zero(Vectors.F);
        for (int i = at; i < at + TILE; i += LANES) {
            FloatVector p =
                    Vectors.expOfMinus(largest.sub(FloatVector.fromArray(Vectors.F, w.scores, i)));
            p.intoArray(w.scores, i);
            sum = sum.add(p);
        }
        // The clamped exponential of what is not visible is not quite zero.
        if (!whole) hide(w.scores, at, from, visible, 0f);
        float decay = decay(w.maximum[row], maximum);
        w.decay[r] = decay;
        FloatVector.fromArray(Vectors.F, w.total, row * LANES)
                .mul(decay)
                .add(sum)
                .intoArray(w.total, row * LANES);
        w.maximum[row] = maximum;
    }

    private static void hide(float[] scores, int at, int from, int visible, float with) {
        Arrays.fill(scores, at, at + from, with);
        Arrays.fill(scores, at + visible, at + TILE, with);
    }

    /** e^(before - now); a score that is not a number must not pass for one. */
    private static float decay(float before, float now) {
        if (before == now) return 1f; // most blocks hold no new maximum
        return Float.isNaN(now) ? Float.NaN : Vectors.exp(before - now);
    }

    private void storeResults(Work w, Item item) {
        int dim = shape.headDim();
        int group = shape.group();
        int headRows = item.tokens * group;
        for (int row = 0; row < headRows * item.heads; row++) {
            float total = 0;
            for (int i = 0; i < LANES; i++) total += w.total[row * LANES + i];
            float inverse = 1 / total;
            for (int d = 0; d < dim; d++) w.head[d] = w.sums[row * dim + d] * inverse;
            int token = item.firstToken + row / group % item.tokens;
            int head = (item.firstHead + row / headRows) * group + row % group;
            out.convert(token, head * dim, w.head, dim, w.halves);
        }
    }

    @Override
    public void close() {
        for (AttentionProducts p : products) p.close();
    }
}
