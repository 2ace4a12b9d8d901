package org.tokenrate.device;

/**
 * A rotary embedding, half-split: pair i of a head is its elements i and i + headDim / 2.
 *
 * @param theta base of the frequencies
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer, equation 15</a>
 */
public record Rope(float theta, RopeScaling scaling) {
    /** Radians by which a position turns a pair; the length is as {@link RopeScaling} says. */
    public double frequency(int headDim, int pair, int length) {
        return scaling.frequency(theta, headDim, pair, length);
    }
}
