package org.tokenrate.device.cpu;

/**
 * Some outputs of a 4-bit matrix, {@code W[o][i] = (q - z) * s}, in panels of 64 outputs (the last
 * one filled up with zeros), and in each of them in runs of two vectors of outputs. An int holds
 * eight inputs of its output, the even ones in its lower half and the odd ones in its upper half,
 * so that one mask leaves a pair of bfloat16s.
 *
 * @param inputs a multiple of {@code groupSize}
 * @param outputs how many there are; a multiple of 8
 * @param groupSize inputs that share a scale and a zero point; a multiple of 32
 * @param nibbles {@code [inputs / groupSize, panels, 64 / run, groupSize / 8, run]}, the order in
 *     which they are used; nibble j of int i, from the lowest, is the group's input {@code 8 i +
 *     input(j)}
 * @param groups {@code [inputs / groupSize, panels, 64]}; the upper half is the scale as IEEE 754
 *     binary16, finite; the lowest nibble is the zero point
 */
record FourBitWeights(int inputs, int outputs, int groupSize, int[] nibbles, int[] groups) {
    /** Outputs of a panel: the width of a block in oneDNN's layout of bf16 weights. */
    static final int PANEL = 64;

    /** Outputs that are used together. */
    static final int RUN = 2 * Vectors.LANES;

    static final int INPUTS_PER_INT = 8;

    private static final int[] INPUT = {0, 2, 4, 6, 1, 3, 5, 7};

    static FourBitWeights allocate(int inputs, int outputs, int groupSize) {
        long lanes = (long) panels(outputs) * PANEL;
        return new FourBitWeights(
                inputs,
                outputs,
                groupSize,
                new int[Math.toIntExact(lanes * inputs / INPUTS_PER_INT)],
                new int[Math.toIntExact(lanes * inputs / groupSize)]);
    }

    /** Which of an int's eight inputs nibble {@code j} is. */
    static int input(int j) {
        return INPUT[j];
    }

    private static int panels(int outputs) {
        return (outputs + PANEL - 1) / PANEL;
    }

    int panels() {
        return panels(outputs);
    }

    /**
     * Where the int of an output and of inputs from {@code input} on is; those of the group's next
     * eight are {@link #RUN} ints behind it.
     *
     * @param output of the panel
     */
    int nibblesAt(int panel, int input, int output) {
        int run = (input / groupSize * panels() + panel) * (PANEL / RUN) + output / RUN;
        return (run * groupSize + input % groupSize) / INPUTS_PER_INT * RUN + output % RUN;
    }

    /** Where a panel's group begins. */
    int groupAt(int panel, int group) {
        return (group * panels() + panel) * PANEL;
    }

    long bytes() {
        return (long) Integer.BYTES * (nibbles.length + groups.length);
    }
}
