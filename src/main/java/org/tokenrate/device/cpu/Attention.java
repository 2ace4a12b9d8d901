package org.tokenrate.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;

// out[t, h, :] = sum over u of softmax_u(q[t, h] . k[u, g] / sqrt(headDim)) v[u, g],  g = h /
// group,
// for u from t - window + 1 to t
// qkv: [tokens, kvHeads (group + 2) headDim] f32; out: [tokens, heads headDim] dtype.
// Flash attention: block by block of the cache, with a running maximum and sum for each row, so
// that scores never leave the first cache (https://arxiv.org/abs/2205.14135, algorithm 1).
// An item is one KV head of up to TILE tokens of a sequence: its rows are the tokens times the
// query heads that share the KV head.
final class Attention<A> implements Team.Task {
    /** Tokens of a prompt that go over the cache together: their sums still fit the first cache. */
    private static final int TILE = 16;

    private static final int BLOCK = KvCache.BLOCK_TOKENS;
    private static final int ROWS = 4;
    private static final int LANES = Vectors.LANES;
    private static final int TOKEN_BITS = 20;
    private static final long MAX_WORK = (1L << 62 - TOKEN_BITS) - 1;

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
    private int tiles;
    private long[] order = new long[64]; // by falling work; the lowest bits are the first token

    Attention(AttentionShape shape, KvBlocks<A> cache, int threads) {
        this.shape = shape;
        this.cache = cache;
        scale = (float) (1 / Math.sqrt(shape.headDim()));
        work = new Work[threads];
        for (int i = 0; i < threads; i++) work[i] = new Work(TILE * shape.group(), shape.headDim());
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
        int touched; // keeps the compiler from dropping the touching

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
        team.run(this, tiles * shape.kvHeads());
    }

    /** Cuts the batch into tiles, the longest contexts first: an item that starts last is short. */
    private void tile() {
        tiledBatch = batch;
        tiledVersion = batch.version();
        tiledWindow = window;
        tiles = 0;
        for (int s = 0; s < batch.sequenceCount(); s++) {
            for (int t = batch.start[s]; t < batch.start[s + 1]; t += TILE) {
                if (tiles == order.length) order = Arrays.copyOf(order, 2 * tiles);
                int last = Math.min(t + TILE, batch.start[s + 1]) - 1;
                int context = batch.positions[last] + 1 - firstSeen(batch.positions[t]);
                long work = (long) context * (last - t + 1);
                order[tiles++] = MAX_WORK - work << TOKEN_BITS | t;
            }
        }
        Arrays.sort(order, 0, tiles);
    }

    /** The first position that a token sees. */
    private int firstSeen(int position) {
        return Math.max(0, position - window + 1);
    }

    @Override
    public void run(int item, int thread) {
        Work w = work[thread];
        int kvHead = item % shape.kvHeads();
        int tile = item / shape.kvHeads();
        int first = (int) (order[tile] & (1 << TOKEN_BITS) - 1);
        int sequence = batch.sequenceOf[first];
        int tokens = Math.min(TILE, batch.start[sequence + 1] - first);
        int group = shape.group();
        int dim = shape.headDim();
        int rows = tokens * group;
        loadQueries(w, first, tokens, kvHead);
        Arrays.fill(w.sums, 0, rows * dim, 0f);
        Arrays.fill(w.maximum, 0, rows, Float.NEGATIVE_INFINITY);
        Arrays.fill(w.total, 0, rows * LANES, 0f);

        int firstPosition = batch.positions[first];
        int context = firstPosition + tokens;
        KvKernel<A> kernel = cache.kernel();
        int keys = cache.keys(layer, kvHead);
        int values = cache.values(layer, kvHead);
        int firstBlock = firstSeen(firstPosition) / BLOCK;
        for (int start = firstBlock * BLOCK; start < context; start += BLOCK) {
            A block = cache.block(batch.blocks[sequence][start / BLOCK]);
            int held = Math.min(BLOCK, context - start);
            w.touched += kernel.touch(block, keys, values - keys);
            w.touched += kernel.touch(block, values, kernel.arrayElements(held * dim));
            int row = 0;
            while (row < rows) {
                int some = rows - row >= ROWS ? ROWS : 1;
                kernel.scores(block, keys, w.q, row * dim, dim, some, w.scores);
                for (int r = 0; r < some; r++) {
                    int position = firstPosition + (row + r) / group;
                    int from = Math.max(0, firstSeen(position) - start);
                    softmaxStep(w, row + r, r, from, Math.min(held, position + 1 - start));
                }
                kernel.accumulate(
                        block, values, w.scores, held, w.decay, w.sums, row * dim, dim, some);
                row += some;
            }
        }
        storeResults(w, first, tokens, kvHead);
    }

    private void loadQueries(Work w, int first, int tokens, int kvHead) {
        int width = shape.group() * shape.headDim();
        for (int t = 0; t < tokens; t++) {
            qkv.get(first + t, kvHead * shape.columnsPerKvHead(), w.q, t * width, width);
        }
        for (int i = 0; i < tokens * width; i++) w.q[i] *= scale;
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
        Arrays.fill(w.scores, at, at + from, Float.NEGATIVE_INFINITY);
        Arrays.fill(w.scores, at + visible, at + BLOCK, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.fromArray(Vectors.F, w.scores, at);
        for (int i = LANES; i < BLOCK; i += LANES) {
            largest = largest.max(FloatVector.fromArray(Vectors.F, w.scores, at + i));
        }
        float maximum = Math.max(w.maximum[row], largest.reduceLanes(VectorOperators.MAX));
        FloatVector sum = FloatVector.zero(Vectors.F);
        for (int i = 0; i < BLOCK; i += LANES) {
            FloatVector p =
                    Vectors.exp(FloatVector.fromArray(Vectors.F, w.scores, at + i).sub(maximum));
            p.intoArray(w.scores, at + i);
            sum = sum.add(p);
        }
        // The clamped exponential of what is not visible is not quite zero.
        Arrays.fill(w.scores, at, at + from, 0f);
        Arrays.fill(w.scores, at + visible, at + BLOCK, 0f);
        float decay = decay(w.maximum[row], maximum);
        w.decay[r] = decay;
        FloatVector.fromArray(Vectors.F, w.total, row * LANES)
                .mul(decay)
                .add(sum)
                .intoArray(w.total, row * LANES);
        w.maximum[row] = maximum;
    }

    /** e^(before - now); a score that is not a number must not pass for one. */
    private static float decay(float before, float now) {
        if (before == now) return 1f; // most blocks hold no new maximum
        return Float.isNaN(now) ? Float.NaN : Vectors.exp(before - now);
    }

    private void storeResults(Work w, int first, int tokens, int kvHead) {
        int dim = shape.headDim();
        int group = shape.group();
        for (int row = 0; row < tokens * group; row++) {
            float total = 0;
            for (int i = 0; i < LANES; i++) total += w.total[row * LANES + i];
            float inverse = 1 / total;
            for (int d = 0; d < dim; d++) w.head[d] = w.sums[row * dim + d] * inverse;
            int head = kvHead * group + row % group;
            out.convert(first + row / group, head * dim, w.head, dim, w.halves);
        }
    }
}
