package org.tokenrate.device.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.bytedeco.cuda.global.cudart;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;

/**
 * Brings AutoAWQ's weights into the layout of the 4-bit kernels: what the checkpoint holds is
 * copied to the device some inputs at a time, and rearranged there.
 */
final class FourBitLoader implements AutoCloseable {
    static final String SOURCE = "awq.cu";

    private static final int THREADS = 256;
    private static final int PER_INT = 8;
    private static final int TILE_WORDS = 128;

    /** Inputs come by this: whole groups and tiles. */
    private static final int INPUTS_UNIT = 128;

    private static final int SMALLEST_GROUP = 32;

    /** Packed weights on the device that wait to be rearranged. */
    private static final long SCRATCH_BYTES = 16L << 20;

    /** The exponent of a binary16 that is infinite or not a number. */
    private static final int NOT_FINITE = 0x7c00;

    private final GpuContext context;
    private final DeviceMemory memory;
    private final KernelModules modules;
    private final Launcher launcher;
    private final Upload upload;
    private long weights;
    private long zeros;
    private long scales;

    FourBitLoader(
            GpuContext context,
            DeviceMemory memory,
            KernelModules modules,
            Launcher launcher,
            Upload upload) {
        this.context = context;
        this.memory = memory;
        this.modules = modules;
        this.launcher = launcher;
        this.upload = upload;
    }

    /** A matrix whose outputs are those of the parts, one below the other. */
    FourBitMatrix load(List<LinearData> parts, int outputs, int inputs, long bias)
            throws IOException {
        int groupSize = ((AwqData) parts.get(0)).groupSize();
        long tiles = (outputs + FourBitMatrix.TILE_OUTPUTS - 1) / FourBitMatrix.TILE_OUTPUTS;
        long inputTiles = (inputs + FourBitMatrix.TILE_INPUTS - 1) / FourBitMatrix.TILE_INPUTS;
        long nibbleBytes = tiles * inputTiles * TILE_WORDS * Integer.BYTES;
        long groupBytes = tiles * (inputs / groupSize) * FourBitMatrix.TILE_OUTPUTS * Integer.BYTES;
        String name = parts.get(0).name();
        FourBitMatrix matrix =
                new FourBitMatrix(
                        outputs,
                        inputs,
                        groupSize,
                        memory.allocateZeroed(nibbleBytes, name),
                        memory.allocateZeroed(groupBytes, name),
                        bias,
                        nibbleBytes + groupBytes + (bias == 0 ? 0 : 2L * outputs));
        int first = 0;
        for (LinearData part : parts) {
            add(matrix, first, checked(part, matrix, name));
            first += (int) part.outputs();
        }
        return matrix;
    }

    private static AwqData checked(LinearData part, FourBitMatrix matrix, String first)
            throws IOException {
        if (!(part instanceof AwqData awq)) {
            throw new IOException(
                    "%s is not of 4 bits, but %s, to which it is joined, is"
                            .formatted(part.name(), first));
        }
        if (awq.inputs() != matrix.inputs() || awq.groupSize() != matrix.groupSize()) {
            throw new IOException(
                    "%s has %d inputs in groups of %d, but %s, to which it is joined, has %d in groups of %d"
                            .formatted(
                                    awq.name(),
                                    awq.inputs(),
                                    awq.groupSize(),
                                    first,
                                    matrix.inputs(),
                                    matrix.groupSize()));
        }
        return awq;
    }

    private void add(FourBitMatrix matrix, int firstOutput, AwqData part) throws IOException {
        takeScratch();
        int outputs = (int) part.outputs();
        long fitting = SCRATCH_BYTES * 2 / outputs / INPUTS_UNIT * INPUTS_UNIT;
        int step = (int) Math.max(INPUTS_UNIT, Math.min(matrix.inputs(), fitting));
        for (int from = 0; from < matrix.inputs(); from += step) {
            add(matrix, firstOutput, part, from, Math.min(step, matrix.inputs() - from));
        }
    }

    private void add(FourBitMatrix m, int firstOutput, AwqData part, int from, int inputs)
            throws IOException {
        int outputs = (int) part.outputs();
        long firstWord = part.firstOutput() / PER_INT;
        int words = outputs / PER_INT;
        int firstGroup = from / m.groupSize();
        int groups = inputs / m.groupSize();
        copy(part.qweight(), from, inputs, firstWord, words, weights);
        copy(part.qzeros(), firstGroup, groups, firstWord, words, zeros);
        copy(part.scales(), firstGroup, groups, part.firstOutput(), outputs, scales);

        int across =
                last(from, inputs, FourBitMatrix.TILE_INPUTS)
                        - from / FourBitMatrix.TILE_INPUTS
                        + 1;
        int down =
                last(firstOutput, outputs, FourBitMatrix.TILE_OUTPUTS)
                        - firstOutput / FourBitMatrix.TILE_OUTPUTS
                        + 1;
        launcher.pointer(weights)
                .pointer(m.nibbles())
                .integer(inputs)
                .integer(outputs)
                .integer(firstOutput)
                .integer(from)
                .integer(m.inputTiles())
                .launch(
                        modules.kernel(SOURCE, "awq_pack_weights"),
                        blocks((long) across * down * TILE_WORDS),
                        1,
                        1,
                        THREADS);
        launcher.pointer(zeros)
                .pointer(scales)
                .pointer(m.groups())
                .integer(groups)
                .integer(outputs)
                .integer(firstOutput)
                .integer(firstGroup)
                .integer(m.inputs() / m.groupSize())
                .launch(
                        modules.kernel(SOURCE, "awq_pack_groups"),
                        blocks((long) groups * outputs),
                        1,
                        1,
                        THREADS);
    }

    private static int last(int first, int count, int unit) {
        return (first + count - 1) / unit;
    }

    private static int blocks(long threads) {
        return Math.toIntExact((threads + THREADS - 1) / THREADS);
    }

    /** Some columns of some rows, close together. */
    private void copy(
            TensorData data, int firstRow, int rows, long firstColumn, int columns, long to)
            throws IOException {
        int bytes = data.type().bytes();
        int rowBytes = columns * bytes;
        upload.copy(
                (from, into) -> {
                    // Mapped: parts of a fused projection are columns of a few bytes each.
                    long row = from / rowBytes;
                    long end = (from + into.remaining() + rowBytes - 1) / rowBytes;
                    ByteBuffer mapped = data.rows(firstRow + row, firstRow + end);
                    int at = (int) (from - row * rowBytes);
                    long stride = data.rowLength() * bytes;
                    ByteBuffer start = into.duplicate();
                    for (long r = 0; into.hasRemaining(); r++, at = 0) {
                        int count = Math.min(rowBytes - at, into.remaining());
                        int source = (int) (r * stride + firstColumn * bytes) + at;
                        into.put(into.position(), mapped, source, count);
                        into.position(into.position() + count);
                    }
                    if (data.type() == DType.F16) requireFinite(data, start);
                },
                to,
                (long) rows * rowBytes);
    }

    private static void requireFinite(TensorData data, ByteBuffer scales) throws IOException {
        scales.order(ByteOrder.LITTLE_ENDIAN);
        while (scales.hasRemaining()) {
            if ((scales.getShort() & NOT_FINITE) == NOT_FINITE) {
                throw new IOException(data.name() + ": a scale is not a finite number");
            }
        }
    }

    private void takeScratch() {
        if (weights != 0) return;
        weights = memory.allocate(SCRATCH_BYTES, "loading 4-bit weights");
        zeros = memory.allocate(SCRATCH_BYTES / SMALLEST_GROUP, "loading 4-bit weights");
        scales = memory.allocate(SCRATCH_BYTES / SMALLEST_GROUP * 4, "loading 4-bit weights");
    }

    @Override
    public void close() {
        if (weights == 0) return;
        GpuContext.warn(cudart.cuStreamSynchronize(context.stream()), "cuStreamSynchronize");
        memory.free(weights);
        memory.free(zeros);
        memory.free(scales);
    }
}
