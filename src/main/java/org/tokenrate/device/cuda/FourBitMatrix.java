package org.tokenrate.device.cuda;

/**
 * Weights of 4 bits in awq.cu's layout: tiles of 16 outputs and 64 inputs.
 *
 * @param groupSize inputs that share a scale and a zero point
 * @param nibbles address of {@code [outputTiles, inputTiles, 128]} ints
 * @param groups address of {@code [outputTiles, inputs / groupSize, 16]} ints: scale, zero point
 */
record FourBitMatrix(
        int outputs, int inputs, int groupSize, long nibbles, long groups, long bias, long bytes)
        implements CudaMatrix {
    static final int TILE_OUTPUTS = 16;
    static final int TILE_INPUTS = 64;

    int outputTiles() {
        return (outputs + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
    }

    int inputTiles() {
        return (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
    }
}
