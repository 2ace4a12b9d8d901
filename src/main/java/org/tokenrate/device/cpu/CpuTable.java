package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.Table;

/** Weights read by row, outside the heap and in the type that they are stored in. */
final class CpuTable implements Table {
    /** A buffer holds less than 2 GiB. */
    private static final int BLOCK_BYTES = 1 << 30;

    /** Bytes that a thread reads at a time. */
    private static final int CHUNK_BYTES = 1 << 20;

    private final DType type;
    private final int rows;
    private final int columns;
    private final int rowsPerBlock;
    private final ByteBuffer[] blocks;
    private final float[] vector;

    CpuTable(TensorData data, WeightMemory memory, Team team) throws IOException {
        this(data, memory, team, BLOCK_BYTES);
    }

    /**
     * @param blockBytes the most that one buffer is to hold
     */
    CpuTable(TensorData data, WeightMemory memory, Team team, int blockBytes) throws IOException {
        if (data.type() == DType.I32) throw new IOException(data.name() + " holds integers");
        type = data.type();
        rows = Math.toIntExact(data.rowCount());
        columns = Math.toIntExact(data.rowLength());
        int rowBytes = Math.multiplyExact(columns, type.bytes());
        rowsPerBlock = Math.min(rows, Math.max(1, blockBytes / rowBytes));
        blocks = new ByteBuffer[(rows + rowsPerBlock - 1) / rowsPerBlock];
        for (int i = 0; i < blocks.length; i++) {
            int rowsHere = Math.min(rowsPerBlock, rows - i * rowsPerBlock);
            blocks[i] = memory.allocate((long) rowsHere * rowBytes).asByteBuffer();
            blocks[i].order(ByteOrder.LITTLE_ENDIAN);
            read(data, i * rowsPerBlock, blocks[i], rowBytes, team);
        }
        vector = new float[rows == 1 ? columns : 0];
        if (rows == 1) row(0, vector, new short[columns]);
    }

    private static void read(
            TensorData data, long firstRow, ByteBuffer block, int rowBytes, Team team)
            throws IOException {
        int chunk = Math.max(1, CHUNK_BYTES / rowBytes) * rowBytes;
        ParallelReads.run(
                team,
                (block.capacity() - 1) / chunk + 1,
                (item, thread) -> {
                    int from = item * chunk;
                    int bytes = Math.min(chunk, block.capacity() - from);
                    long element = (firstRow + from / rowBytes) * data.rowLength();
                    data.read(element, block.slice(from, bytes));
                });
    }

    /**
     * Copies a row out as floats.
     *
     * @param scratch of a row's length at least
     */
    void row(int row, float[] to, short[] scratch) {
        ByteBuffer block = blocks[row / rowsPerBlock];
        int first = row % rowsPerBlock * columns;
        if (type == DType.F32) {
            block.asFloatBuffer().get(first, to, 0, columns);
            return;
        }
        block.asShortBuffer().get(first, scratch, 0, columns);
        if (type == DType.BF16) Bf16.toFloats(scratch, to, columns);
        else Half.toFloats(scratch, to, columns);
    }

    /** A table of one row, as floats. */
    float[] vector() {
        return vector;
    }

    @Override
    public long bytes() {
        return (long) rows * columns * type.bytes();
    }
}
