package org.tokenrate.device.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;

/** Brings AutoAWQ's weights into panels, a slice a thread, all slices at the same time. */
final class FourBitLoader {
    /** Up to this many rows the weights are used as they are. */
    static final int MOST_DIRECT_ROWS = 4;

    /** The outputs of a packed int's nibbles, from the lowest. */
    private static final int[] ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    private static final int PER_INT = 8;
    private static final int LANES = Vectors.LANES;

    /** How much of a file is mapped at a time. */
    private static final long MAPPED_BYTES = 64 << 20;

    /** The exponent of a binary16 that is infinite or not a number. */
    private static final int NOT_FINITE = 0x7c00;

    private final Team team;
    private final FourBitScratch[] scratch;
    private final int mostDirectRows;

    FourBitLoader(Team team, FourBitScratch[] scratch) {
        this(team, scratch, MOST_DIRECT_ROWS);
    }

    FourBitLoader(Team team, FourBitScratch[] scratch, int mostDirectRows) {
        this.team = team;
        this.scratch = scratch;
        this.mostDirectRows = mostDirectRows;
    }

    /**
     * A matrix whose outputs are those of the parts, one below the other.
     *
     * @param bias one for each output, or none at all
     */
    FourBitMatrix load(List<LinearData> parts, float[] bias) throws IOException {
        int inputs = Math.toIntExact(parts.get(0).inputs());
        int outputs = Math.toIntExact(parts.stream().mapToLong(LinearData::outputs).sum());
        FourBitMatrix matrix = new FourBitMatrix(inputs, mostDirectRows, bias);
        int groupSize = checked(parts.get(0), inputs, parts.get(0)).groupSize();
        int step = SlicedMatrix.sliceOutputs(outputs, team.threads());
        List<List<AwqData>> slices = new ArrayList<>();
        for (int first = 0; first < outputs; first += step) {
            int end = Math.min(outputs, first + step);
            List<AwqData> slice = new ArrayList<>();
            long start = 0;
            for (LinearData part : parts) {
                long from = Math.max(first, start) - start;
                long until = Math.min(end, start + part.outputs()) - start;
                if (from < until) {
                    slice.add(checked(part.slice(from, until), inputs, parts.get(0)));
                }
                start += part.outputs();
            }
            slices.add(slice);
            matrix.add(
                    FourBitWeights.allocate(inputs, end - first, groupSize),
                    scratch[slices.size() - 1]);
        }
        fill(matrix, slices);
        return matrix;
    }

    private static AwqData checked(LinearData part, int inputs, LinearData first)
            throws IOException {
        if (!(part instanceof AwqData awq)) {
            throw new IOException(
                    "%s is not of 4 bits, but %s, to which it is joined, is"
                            .formatted(part.name(), first.name()));
        }
        if (awq.inputs() != inputs || awq.groupSize() != ((AwqData) first).groupSize()) {
            throw new IOException(
                    "%s has %d inputs in groups of %d, but %s, to which it is joined, has %d in groups of %d"
                            .formatted(
                                    awq.name(),
                                    awq.inputs(),
                                    awq.groupSize(),
                                    first.name(),
                                    inputs,
                                    ((AwqData) first).groupSize()));
        }
        return awq;
    }

    private void fill(FourBitMatrix matrix, List<List<AwqData>> slices) throws IOException {
        try {
            team.run(
                    (item, thread) -> fillSlice(matrix.weights(item), slices.get(item)),
                    slices.size());
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof UncheckedIOException io) throw io.getCause();
            throw e;
        }
    }

    private static void fillSlice(FourBitWeights weights, List<AwqData> parts) {
        try {
            int output = 0;
            for (AwqData part : parts) {
                fillNibbles(weights, output, part);
                fillGroups(weights, output, part);
                output += (int) part.outputs();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void fillNibbles(FourBitWeights weights, int output, AwqData part)
            throws IOException {
        int stride = Math.toIntExact(part.qweight().rowLength());
        int first = (int) part.firstOutput() / PER_INT;
        int count = (int) part.outputs() / PER_INT;
        int[][] rows = new int[PER_INT][(count + LANES - 1) / LANES * LANES];
        int step = rowsAtATime(part.qweight(), weights.groupSize());
        for (int start = 0; start < weights.inputs(); start += step) {
            int end = Math.min(weights.inputs(), start + step);
            IntBuffer ints = part.qweight().rows(start, end).asIntBuffer();
            for (int input = start; input < end; input += PER_INT) {
                for (int j = 0; j < PER_INT; j++) {
                    int row = input - start + FourBitWeights.input(j);
                    ints.get(row * stride + first, rows[j], 0, count);
                }
                transpose(rows);
                for (int i = 0; i < count; i++) {
                    int o = output + i * PER_INT;
                    int at =
                            weights.nibblesAt(
                                    o / FourBitWeights.PANEL, input, o % FourBitWeights.PANEL);
                    for (int j = 0; j < PER_INT; j++) {
                        weights.nibbles()[at + ORDER[j]] = rows[j][i];
                    }
                }
            }
        }
    }

    /** Nibble j of row i becomes nibble i of row j, in every column: halves, bytes, nibbles. */
    private static void transpose(int[][] rows) {
        for (int c = 0; c < rows[0].length; c += LANES) {
            swap(rows, c, 4, 16, 0x0000ffff);
            swap(rows, c, 2, 8, 0x00ff00ff);
            swap(rows, c, 1, 4, 0x0f0f0f0f);
        }
    }

    /** Exchanges the upper part of row i with the lower of row {@code i + distance}. */
    private static void swap(int[][] rows, int column, int distance, int shift, int mask) {
        for (int i = 0; i < PER_INT; i++) {
            if ((i & distance) != 0) continue;
            IntVector a = IntVector.fromArray(Vectors.I, rows[i], column);
            IntVector b = IntVector.fromArray(Vectors.I, rows[i + distance], column);
            IntVector t =
                    a.lanewise(VectorOperators.LSHR, shift)
                            .lanewise(VectorOperators.XOR, b)
                            .and(mask);
            b.lanewise(VectorOperators.XOR, t).intoArray(rows[i + distance], column);
            a.lanewise(VectorOperators.XOR, t.lanewise(VectorOperators.LSHL, shift))
                    .intoArray(rows[i], column);
        }
    }

    private static void fillGroups(FourBitWeights weights, int output, AwqData part)
            throws IOException {
        int groups = weights.inputs() / weights.groupSize();
        int stride = Math.toIntExact(part.scales().rowLength());
        IntBuffer zeros = part.qzeros().rows(0, groups).asIntBuffer();
        ShortBuffer scales = part.scales().rows(0, groups).asShortBuffer();
        for (int g = 0; g < groups; g++) {
            for (int i = 0; i < part.outputs(); i += PER_INT) {
                int first = (int) part.firstOutput() + i;
                int packed = zeros.get((g * stride + first) / PER_INT);
                for (int j = 0; j < PER_INT; j++) {
                    int o = output + i + ORDER[j];
                    int scale = scales.get(g * stride + first + ORDER[j]);
                    if ((scale & NOT_FINITE) == NOT_FINITE) {
                        throw new IOException(
                                "%s: the scale of output %d in group %d is not a finite number"
                                        .formatted(part.scales().name(), first + ORDER[j], g));
                    }
                    int at =
                            weights.groupAt(o / FourBitWeights.PANEL, g) + o % FourBitWeights.PANEL;
                    weights.groups()[at] = scale << 16 | packed >>> 4 * j & 0xf;
                }
            }
        }
    }

    private static int rowsAtATime(TensorData data, int groupSize) {
        long rows = MAPPED_BYTES / (data.rowLength() * data.type().bytes());
        return (int) Math.max(groupSize, rows / groupSize * groupSize);
    }
}
