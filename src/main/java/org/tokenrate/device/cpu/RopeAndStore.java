package org.tokenrate.device.cpu;

import java.util.Optional;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.KvCache;

// Norms q and k of each token by head, if wanted, and turns them by its position; puts q back into
// qkv, k and v into the sequence's block.
// qkv: [tokens, kvHeads (group + 2) headDim] f32. One item a KV head with its queries: two tokens
// of a block may share a word of it, so tokens are no unit to divide the work by.
final class RopeAndStore<A> implements Team.Task {
    private static final float[] NO_NORM = new float[0];

    private final Scratch[] scratch;
    private final RopeTable rope;
    private final AttentionShape shape;
    private final KvBlocks<A> cache;
    private CpuTensor qkv;
    private Batch batch;
    private int layer;
    private float[] queryNorm = NO_NORM;
    private float[] keyNorm = NO_NORM;
    private float eps;

    RopeAndStore(Scratch[] scratch, RopeTable rope, AttentionShape shape, KvBlocks<A> cache) {
        this.scratch = scratch;
        this.rope = rope;
        this.shape = shape;
        this.cache = cache;
    }

    void run(Team team, CpuTensor qkv, Batch batch, int layer, Optional<HeadNorms> norms) {
        this.qkv = qkv;
        this.batch = batch;
        this.layer = layer;
        if (norms.isPresent()) {
            queryNorm = ((CpuTable) norms.get().query()).vector();
            keyNorm = ((CpuTable) norms.get().key()).vector();
            eps = norms.get().eps();
        } else {
            queryNorm = NO_NORM;
            keyNorm = NO_NORM;
        }
        rope.prepare(batch);
        // Blocks are made here, by one thread.
        for (int s = 0; s < batch.sequenceCount(); s++) {
            int first = batch.positions[batch.start[s]] / cache.blockTokens();
            int last = batch.positions[batch.start[s + 1] - 1] / cache.blockTokens();
            for (int b = first; b <= last; b++) cache.block(batch.blocks[s][b]);
        }
        team.run(this, shape.kvHeads());
    }

    @Override
    public void run(int item, int thread) {
        Scratch s = scratch[thread];
        int dim = shape.headDim();
        int group = shape.group();
        int columns = shape.columnsPerKvHead();
        s.ensure(columns);
        int key = group * dim;
        for (int t = 0; t < batch.tokenCount(); t++) {
            int position = batch.positions[t];
            qkv.get(t, item * columns, s.a, 0, columns);
            if (queryNorm.length > 0) normalize(s.a, group, dim);
            int row = rope.row(batch, t);
            for (int h = 0; h <= group; h++) rope.turn(s.a, h * dim, row);
            qkv.put(t, item * columns, s.a, 0, group * dim);
            A block = cache.block(batch.blocks[batch.sequenceOf[t]], position);
            int keys = cache.keys(layer, position, item);
            int slot = position % KvCache.TILE_TOKENS;
            cache.kernel().storeKey(block, keys, slot, s.a, key, dim, s.bits);
            cache.kernel().storeValue(block, cache.values(keys), slot, s.a, key + dim, dim);
        }
    }

    private void normalize(float[] heads, int group, int dim) {
        for (int h = 0; h < group; h++) {
            RmsNorm.normalize(heads, h * dim, queryNorm, eps, dim);
        }
        RmsNorm.normalize(heads, group * dim, keyNorm, eps, dim);
    }
}
