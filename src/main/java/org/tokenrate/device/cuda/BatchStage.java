package org.tokenrate.device.cuda;

import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;

/**
 * A batch's arrays on the device: packed into one pinned buffer and brought over by one copy an
 * iteration. Every array has its own place, whatever the batch, so that recorded graphs find it.
 *
 * <p>A batch whose sequences all have one token may be filled up to a rounder size; what is added
 * has position -1, which kernels pass over.
 */
final class BatchStage implements AutoCloseable {
    /** Rows of queries that a block of the prefill kernel takes. */
    private static final int TILE_ROWS = 64;

    private static final int NO_TOKEN = -1;

    private final GpuContext context;
    private final int maxTokens;
    private final int maxSequences;
    private final int group;
    private final int blockTiles;
    private final int mostContextTiles;

    private final long device;
    private final BytePointer pinned;
    private final IntBuffer ints;
    private final CUevent_st copied = new CUevent_st();

    // First int of each array.
    private final int tokens;
    private final int positions;
    private final int sequenceOf;
    private final int ropeRow;
    private final int start;
    private final int tiles;
    private final int single;
    private final int sampleRow;
    private final int topK;
    private final int topP;
    private final int temperature;
    private final int seed;
    private final int samplePosition;
    private final int blockTable;

    private final long[] tileOrder;
    private int tileCount;
    private int singleCount;
    private int rows;
    private int batchRows;
    private int contextTiles;

    /**
     * @param batch its arrays' lengths are the most that comes
     * @param blockTiles tiles of a block of the cache
     */
    BatchStage(
            GpuContext context,
            DeviceMemory memory,
            Batch batch,
            AttentionShape shape,
            int blockTiles) {
        this.context = context;
        maxTokens = batch.tokens.length;
        maxSequences = batch.sampleRow.length;
        group = shape.group();
        this.blockTiles = blockTiles;
        mostContextTiles = powerOfTwo(tiles(shape.maxPositions()));
        int mostTiles = maxTokens * group / TILE_ROWS + maxSequences;
        tokens = 0;
        positions = tokens + maxTokens;
        sequenceOf = positions + maxTokens;
        ropeRow = sequenceOf + maxTokens;
        start = ropeRow + maxTokens;
        tiles = start + maxSequences + 1;
        single = tiles + 2 * mostTiles;
        sampleRow = single + maxSequences;
        topK = sampleRow + maxSequences;
        topP = topK + maxSequences;
        temperature = topP + maxSequences;
        seed = temperature + maxSequences;
        samplePosition = seed + 2 * maxSequences;
        blockTable = samplePosition + maxSequences;
        long size =
                ((long) blockTable + (long) maxSequences * blocks(mostContextTiles))
                        * Integer.BYTES;
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a context of %d tokens for %d sequences at once needs %,d bytes of block tables; lower concurrency"
                            .formatted(shape.maxPositions(), maxSequences, size));
        }
        device = memory.allocate(size, "the batch's arrays");
        pinned = memory.allocateHost(size, "the batch's arrays");
        ints = pinned.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        tileOrder = new long[mostTiles];
        Status.driver(
                cudart.cuEventCreate(copied, cudart.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    }

    /** Tiles of the cache that so many tokens take. */
    private static int tiles(int tokens) {
        return (tokens + KvCache.TILE_TOKENS - 1) / KvCache.TILE_TOKENS;
    }

    /** KV blocks that so many tiles take. */
    private int blocks(int tiles) {
        return (tiles + blockTiles - 1) / blockTiles;
    }

    private static int powerOfTwo(int atLeast) {
        return atLeast <= 1 ? 1 : Integer.highestOneBit(atLeast - 1) << 1;
    }

    /** Whether each sequence has one token, and the next is wanted of each. */
    static boolean decodesOnly(Batch batch) {
        return batch.tokenCount() == batch.sequenceCount()
                && batch.tokenCount() == batch.sampleCount();
    }

    /**
     * Queues the copy of a batch. Waits only if the last one's has not happened yet.
     *
     * @param rows tokens to fill the batch up to; as many as it has for none
     * @param ropeByLength whether a token's frequencies depend on its sequence's length
     */
    void copy(Batch batch, int rows, boolean ropeByLength) {
        Status.driver(cudart.cuEventSynchronize(copied), "cuEventSynchronize");
        int tokenCount = batch.tokenCount();
        this.rows = rows;
        batchRows = tokenCount;
        ints.put(tokens, batch.tokens, 0, tokenCount);
        ints.put(positions, batch.positions, 0, tokenCount);
        ints.put(sequenceOf, batch.sequenceOf, 0, tokenCount);
        ints.put(start, batch.start, 0, batch.sequenceCount() + 1);
        for (int t = 0; ropeByLength && t < tokenCount; t++) {
            ints.put(ropeRow + t, batch.ropeLength(t));
        }
        for (int t = tokenCount; t < rows; t++) {
            ints.put(tokens + t, 0);
            ints.put(positions + t, NO_TOKEN);
            ints.put(sequenceOf + t, 0);
            ints.put(ropeRow + t, 0);
        }
        copySamples(batch, rows);
        splitByLength(batch, rows);
        int words = copyBlocks(batch);
        Status.driver(
                cudart.cuMemcpyHtoDAsync(
                        device, pinned, (long) words * Integer.BYTES, context.stream()),
                "cuMemcpyHtoDAsync of a batch");
        Status.driver(cudart.cuEventRecord(copied, context.stream()), "cuEventRecord");
    }

    private void copySamples(Batch batch, int rows) {
        int samples = batch.sampleCount();
        ints.put(sampleRow, batch.sampleRow, 0, samples);
        ints.put(topK, batch.topK, 0, samples);
        ints.put(samplePosition, batch.samplePosition, 0, samples);
        for (int i = 0; i < samples; i++) {
            ints.put(topP + i, Float.floatToRawIntBits(batch.topP[i]));
            ints.put(temperature + i, Float.floatToRawIntBits(batch.temperature[i]));
            ints.put(seed + 2 * i, (int) batch.seed[i]);
            ints.put(seed + 2 * i + 1, (int) (batch.seed[i] >>> 32));
        }
        for (int i = samples; rows > batch.tokenCount() && i < rows; i++) {
            ints.put(sampleRow + i, 0);
        }
    }

    /** Single tokens are for the decode kernel, longer runs for the prefill kernel. */
    private void splitByLength(Batch batch, int rows) {
        singleCount = 0;
        tileCount = 0;
        for (int s = 0; s < batch.sequenceCount(); s++) {
            int first = batch.start[s];
            int count = batch.start[s + 1] - first;
            if (count == 1) {
                ints.put(single + singleCount++, first);
                continue;
            }
            for (int row = 0; row < count * group; row += TILE_ROWS) {
                long context = batch.positions[first] + row / group;
                // Sorts by falling context; sequences and tiles are fewer than 2^16.
                tileOrder[tileCount++] = -context << 32 | (long) s << 16 | row / TILE_ROWS;
            }
        }
        for (int t = batch.tokenCount(); t < rows; t++) ints.put(single + singleCount++, t);
        // Longest contexts first: the last blocks of threads to start are then short ones.
        Arrays.sort(tileOrder, 0, tileCount);
        for (int i = 0; i < tileCount; i++) {
            ints.put(tiles + 2 * i, (int) (tileOrder[i] >>> 16 & 0xffff));
            ints.put(tiles + 2 * i + 1, (int) (tileOrder[i] & 0xffff) * TILE_ROWS);
        }
    }

    /** Ints up to the table's last row. */
    private int copyBlocks(Batch batch) {
        contextTiles = powerOfTwo(longest(batch));
        int width = tableWidth();
        for (int s = 0; s < batch.sequenceCount(); s++) {
            int count = blocks(contextTiles(batch, s));
            ints.put(blockTable + s * width, batch.blocks[s], 0, count);
        }
        return blockTable + batch.sequenceCount() * width;
    }

    /** Tiles of the longest context. */
    private static int longest(Batch batch) {
        int longest = 1;
        for (int s = 0; s < batch.sequenceCount(); s++) {
            longest = Math.max(longest, contextTiles(batch, s));
        }
        return longest;
    }

    private static int contextTiles(Batch batch, int sequence) {
        return tiles(batch.positions[batch.start[sequence + 1] - 1] + 1);
    }

    private long address(int array) {
        return device + (long) array * Integer.BYTES;
    }

    /** Tokens, those that fill up among them. */
    int rows() {
        return rows;
    }

    /** What so many tokens or samples of the batch were filled up to. */
    int rowsFor(int count) {
        return count == batchRows ? rows : count;
    }

    int maxSequences() {
        return maxSequences;
    }

    /** Tiles of the cache that the longest context has, rounded up to a power of two. */
    int contextTiles() {
        return contextTiles;
    }

    /** The same for the longest context that there is. */
    int mostContextTiles() {
        return mostContextTiles;
    }

    /** KV blocks of a row of the block table: as many as hold {@link #contextTiles}. */
    int tableWidth() {
        return blocks(contextTiles);
    }

    int tileCount() {
        return tileCount;
    }

    int singleCount() {
        return singleCount;
    }

    long tokens() {
        return address(tokens);
    }

    long positions() {
        return address(positions);
    }

    long sequenceOf() {
        return address(sequenceOf);
    }

    long ropeRow() {
        return address(ropeRow);
    }

    long start() {
        return address(start);
    }

    long tiles() {
        return address(tiles);
    }

    long single() {
        return address(single);
    }

    long sampleRow() {
        return address(sampleRow);
    }

    long topK() {
        return address(topK);
    }

    long topP() {
        return address(topP);
    }

    long temperature() {
        return address(temperature);
    }

    long seed() {
        return address(seed);
    }

    long samplePosition() {
        return address(samplePosition);
    }

    long blockTable() {
        return address(blockTable);
    }

    @Override
    public void close() {
        GpuContext.warn(cudart.cuEventDestroy(copied), "cuEventDestroy");
    }
}
