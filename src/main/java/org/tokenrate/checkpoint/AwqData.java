package org.tokenrate.checkpoint;

/**
 * 4-bit weights in AutoAWQ's gemm layout: {@code W[o][i] = (q[i][o] - z[i / group][o]) * s[i /
 * group][o]}. Eight outputs share an I32, whose nibbles, from the lowest, are outputs 0 2 4 6 1 3 5
 * 7.
 *
 * @param name of the layer
 * @param qweight I32 {@code [inputs, allOutputs / 8]}
 * @param qzeros I32 {@code [inputs / group, allOutputs / 8]}
 * @param scales F16 {@code [inputs / group, allOutputs]}
 * @param groupSize inputs that share a scale and a zero point
 * @param firstOutput first of the outputs meant; a multiple of 8
 * @param outputs how many are meant; a multiple of 8
 * @see <a href="https://github.com/casper-hansen/AutoAWQ">AutoAWQ</a>
 */
public record AwqData(
        String name,
        TensorData qweight,
        TensorData qzeros,
        TensorData scales,
        int groupSize,
        long firstOutput,
        long outputs)
        implements LinearData {
    private static final int PER_INT = 8;

    @Override
    public long inputs() {
        return qweight.rowCount();
    }

    @Override
    public LinearData slice(long from, long to) {
        if (from < 0 || from > to || to > outputs || from % PER_INT != 0 || to % PER_INT != 0) {
            throw new IllegalArgumentException(
                    "%s of %d outputs, eight of which share an integer, cannot be cut at %d and %d"
                            .formatted(name, outputs, from, to));
        }
        return new AwqData(name, qweight, qzeros, scales, groupSize, firstOutput + from, to - from);
    }

    @Override
    public LinearData sliceInputs(long from, long to) {
        if (from < 0
                || from >= to
                || to > inputs()
                || from % groupSize != 0
                || to % groupSize != 0) {
            throw new IllegalArgumentException(
                    "%s of %d inputs in groups of %d cannot be cut at %d and %d"
                            .formatted(name, inputs(), groupSize, from, to));
        }
        return new AwqData(
                name,
                qweight.slice(from, to),
                qzeros.slice(from / groupSize, to / groupSize),
                scales.slice(from / groupSize, to / groupSize),
                groupSize,
                firstOutput,
                outputs);
    }
}
