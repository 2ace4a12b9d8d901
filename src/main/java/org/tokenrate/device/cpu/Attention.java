package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;

// out[t, h, :] = sum over u of softmax_u(q[t, h] . k[u, g] / sqrt(headDim)) v[u, g],  g = h /
// group,
// for u from t - window + 1 to t
// qkv: [tokens, kvHeads (group + 2) headDim] f32; out: [tokens, heads headDim] dtype.
// Flash attention: block by block of the cache, with a running maximum and sum for each row, so
// that scores never leave the first cache (https://arxiv.org/abs/2205.14135, algorithm 1).
// An item is up to TILE tokens of a sequence and some of its KV heads: for each head, its rows are
// the tokens times the query heads that share it. A sequence that decodes goes over the heads of a
// block one behind the other, since they lie so: memory is fastest at long runs.
final class Attention<A> implements Team.Task {
    /** Tokens of a prompt that go over the cache together: their sums still fit the first cache. */
    private static final int TILE = 16;

    /** Items to have for each thread, if there are heads to make them of: for an even share. */
    private static final int ITEMS_A_THREAD = 2;

    private static final int BLOCK = KvCache.TILE_TOKENS;
    private static final int ROWS = 4;
    private static final int LANES = Vectors.LANES;
    private static final int ITEM_BITS = 24;
    private static final long MAX_WORK = (1L << 62 - ITEM_BITS) - 1;

    private final AttentionShape shape;
    private final KvBlocks<A> cache;
    private final Work[] work;
    private final float scale;
    private CpuTensor qkv;
    private CpuTensor out;
    private Batch batch;
    private int layer;
    private int window;
    private Batch tiledBatch;
    private long tiledVersion;
    private int tiledWindow;
    private int items;
    private long[] order = new long[64]; // by falling work; the lowest bits are the item
    private int[] firstToken = new int[64]; // of each item
    private int[] firstHead = new int[64];
    private int[] heads = new int[64];

    Attention(AttentionShape shape, KvBlocks<A> cache, int threads) {
        this.shape = shape;
        this.cache = cache;
        scale = (float) (1 / Math.sqrt(shape.headDim()));
        work = new Work[threads];
        int rows = Math.max(TILE * shape.group(), shape.heads());
        for (int i = 0; i < threads; i++) work[i] = new Work(rows, shape.headDim());
    }

    /** One thread's rows. */
    private static final class Work {
        final float[] q; // [rows, headDim], scaled
        final float[] sums; // [rows, headDim]
        final float[] maximum; // [rows]
        final float[] total; // [rows, LANES]: a sum across lanes is slow, so it waits for the end
        final float[] scores = new float[ROWS * BLOCK];
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
        if (!tiled) tile();
        team.run(this, items);
    }

    /** Cuts the batch into items, the most work first: an item that starts last is short. */
    private void tile() {
        tiledBatch = batch;
        tiledVersion = batch.version();
        tiledWindow = window;
        items = 0;
        int sequences = batch.sequenceCount();
        int wanted = (ITEMS_A_THREAD * work.length + sequences - 1) / sequences;
        int headsAtOnce = Math.max(1, shape.kvHeads() / wanted);
        for (int s = 0; s < sequences; s++) {
            int end = batch.start[s + 1];
            for (int t = batch.start[s]; t < end; t += TILE) {
                int last = Math.min(t + TILE, end) - 1;
                int context = batch.positions[last] + 1 - firstSeen(batch.positions[t]);
                addItems(t, last - t + 1, context, last > t ? 1 : headsAtOnce);
            }
        }
        Arrays.sort(order, 0, items);
    }

    private void addItems(int token, int tokens, int context, int headsAtOnce) {
        for (int h = 0; h < shape.kvHeads(); h += headsAtOnce) {
            if (items == order.length) {
                order = Arrays.copyOf(order, 2 * items);
                firstToken = Arrays.copyOf(firstToken, 2 * items);
                firstHead = Arrays.copyOf(firstHead, 2 * items);
                heads = Arrays.copyOf(heads, 2 * items);
            }
            firstToken[items] = token;
            firstHead[items] = h;
            heads[items] = Math.min(headsAtOnce, shape.kvHeads() - h);
            order[items] = MAX_WORK - (long) context * tokens * heads[items] << ITEM_BITS | items;
            items++;
        }
    }

    /** The first position that a token sees. */
    private int firstSeen(int position) {
        return Math.max(0, position - window + 1);
    }

    @Override
    public void run(int item, int thread) {
        Work w = work[thread];
        int i = (int) (order[item] & (1 << ITEM_BITS) - 1);
        int first = firstToken[i];
        int sequence = batch.sequenceOf[first];
        // Only an item of a single token has several heads.
        int tokens = Math.min(TILE, batch.start[sequence + 1] - first);
        int dim = shape.headDim();
        int headRows = tokens * shape.group();
        int rows = headRows * heads[i];
        loadQueries(w, first, tokens, firstHead[i], heads[i]);
        Arrays.fill(w.sums, 0, rows * dim, 0f);
        Arrays.fill(w.maximum, 0, rows, Float.NEGATIVE_INFINITY);
        Arrays.fill(w.total, 0, rows * LANES, 0f);

        int firstPosition = batch.positions[first];
        int context = firstPosition + tokens;
        int firstBlock = firstSeen(firstPosition) / BLOCK;
        for (int start = firstBlock * BLOCK; start < context; start += BLOCK) {
            A block = cache.block(batch.blocks[sequence], start);
            for (int h = 0; h < heads[i]; h++) {
                int keys = cache.keys(layer, start, firstHead[i] + h);
                int values = cache.values(keys);
                addBlock(w, block, keys, values, start, firstPosition, h * headRows, headRows);
            }
        }
        storeResults(w, first, tokens, firstHead[i], heads[i]);
    }

    /** One block's keys and values for the rows of one KV head. */
    private void addBlock(
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
        int held = Math.min(BLOCK, firstPosition + rows / group - start);
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
    private void loadQueries(Work w, int first, int tokens, int firstHead, int heads) {
        int width = shape.group() * shape.headDim();
        int at = 0;
        for (int h = firstHead; h < firstHead + heads; h++) {
            for (int t = 0; t < tokens; t++, at += width) {
                qkv.get(first + t, h * shape.columnsPerKvHead(), w.q, at, width);
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
        int at = r * BLOCK;
        if (visible <= from) {
            Arrays.fill(w.scores, at, at + BLOCK, 0f);
            w.decay[r] = 1f;
            return;
        }
        boolean whole = from == 0 && visible == BLOCK;
        if (!whole) hide(w.scores, at, from, visible, Float.NEGATIVE_INFINITY);
        float maximum = Math.max(w.maximum[row], Vectors.maximum(w.scores, at, BLOCK));
        FloatVector largest = FloatVector.broadcast(Vectors.F, maximum);
        FloatVector sum = FloatVector.zero(Vectors.F);
        for (int i = at; i < at + BLOCK; i += LANES) {
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
        Arrays.fill(scores, at + visible, at + BLOCK, with);
    }

    /** e^(before - now); a score that is not a number must not pass for one. */
    private static float decay(float before, float now) {
        if (before == now) return 1f; // most blocks hold no new maximum
        return Float.isNaN(now) ? Float.NaN : Vectors.exp(before - now);
    }

    private void storeResults(Work w, int first, int tokens, int firstHead, int heads) {
        int dim = shape.headDim();
        int group = shape.group();
        for (int row = 0; row < tokens * group * heads; row++) {
            float total = 0;
            for (int i = 0; i < LANES; i++) total += w.total[row * LANES + i];
            float inverse = 1 / total;
            for (int d = 0; d < dim; d++) w.head[d] = w.sums[row * dim + d] * inverse;
            int token = first + row / group % tokens;
            int head = (firstHead + row / (group * tokens)) * group + row % group;
            out.convert(token, head * dim, w.head, dim, w.halves);
        }
    }
}
