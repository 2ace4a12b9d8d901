package org.tokenrate.device.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.Table;

/** Weights read by row: 16-bit ones stay so, in the heap. */
final class CpuTable implements Table {
    /** Rows read at a time while loading, so that no buffer grows with the table. */
    private static final int LOAD_BYTES = 1 << 20;

    private final int columns;
    private final float[][] floats;
    private final short[][] halves;
    private final float[] vector;

    CpuTable(TensorData data) throws IOException {
        if (data.type() == DType.I32) throw new IOException(data.name() + " holds integers");
        int rows = Math.toIntExact(data.rowCount());
        columns = Math.toIntExact(data.rowLength());
        boolean bf16 = data.type() == DType.BF16;
        floats = new float[bf16 ? 0 : rows][];
        halves = new short[bf16 ? rows : 0][];
        int step = Math.max(1, LOAD_BYTES / (columns * data.type().bytes()));
        for (int from = 0; from < rows; from += step) {
            int to = Math.min(rows, from + step);
            ByteBuffer block = data.rows(from, to);
            for (int row = from; row < to; row++) read(block, row, data.type());
        }
        vector = new float[rows == 1 ? columns : 0];
        if (rows == 1) row(0, vector);
    }

    private void read(ByteBuffer block, int row, DType type) {
        switch (type) {
            case BF16 -> {
                halves[row] = new short[columns];
                for (int c = 0; c < columns; c++) halves[row][c] = block.getShort();
            }
            case F16 -> {
                floats[row] = new float[columns];
                for (int c = 0; c < columns; c++) {
                    floats[row][c] = Half.toFloat(block.getShort());
                }
            }
            case F32 -> {
                floats[row] = new float[columns];
                for (int c = 0; c < columns; c++) floats[row][c] = block.getFloat();
            }
        }
    }

    void row(int row, float[] to) {
        if (halves.length > 0) Bf16.toFloats(halves[row], to, columns);
        else System.arraycopy(floats[row], 0, to, 0, columns);
    }

    /** A table of one row, as floats. */
    float[] vector() {
        return vector;
    }

    @Override
    public long bytes() {
        return (long) floats.length * columns * Float.BYTES
                + (long) halves.length * columns * Short.BYTES;
    }
}
