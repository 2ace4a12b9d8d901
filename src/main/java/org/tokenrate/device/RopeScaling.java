package org.tokenrate.device;

/**
 * How the rotary embedding's frequencies are stretched to contexts beyond those trained on. A pair
 * of elements is turned by position times frequency; unscaled, pair i's is {@code theta^(-2i /
 * headDim)}. The names and formulas are those of Hugging Face's {@code rope_scaling}.
 *
 * @see <a
 *     href="https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py">transformers'
 *     modeling_rope_utils</a>
 */
public sealed interface RopeScaling {
    /** Frequencies as trained. */
    RopeScaling NONE = new None();

    /**
     * Radians by which a position turns a pair.
     *
     * @param theta base of the frequencies
     * @param pair from 0 to headDim / 2 - 1
     * @param length tokens of the sequence, as far as the scaling depends on it: for a token at
     *     position p of a sequence whose prompt has P tokens, {@code max(P, p + 1)}. That is what
     *     transformers computes when it takes the prompt at once, and neither chunks of a prompt
     *     nor a recomputation after preemption change it.
     */
    double frequency(double theta, int headDim, int pair, int length);

    /** Whether {@link #frequency} depends on the sequence's length. */
    default boolean dependsOnLength() {
        return false;
    }

    private static double unscaled(double theta, int headDim, int pair) {
        return Math.pow(theta, -2.0 * pair / headDim);
    }

    /** Frequencies as trained. */
    record None() implements RopeScaling {
        @Override
        public double frequency(double theta, int headDim, int pair, int length) {
            return unscaled(theta, headDim, pair);
        }
    }

    /**
     * Positions are divided by a factor.
     *
     * @see <a href="https://arxiv.org/abs/2306.15595">Position interpolation</a>
     */
    record Linear(double factor) implements RopeScaling {
        @Override
        public double frequency(double theta, int headDim, int pair, int length) {
            return unscaled(theta, headDim, pair) / factor;
        }
    }

    /**
     * The base grows with the sequence, from where it is longer than those trained on: {@code theta
     * * (factor * length / original - (factor - 1))^(headDim / (headDim - 2))}.
     *
     * @param originalLength longest sequence that was trained on, in tokens
     */
    record DynamicNtk(double factor, int originalLength) implements RopeScaling {
        @Override
        public double frequency(double theta, int headDim, int pair, int length) {
            if (length <= originalLength) return unscaled(theta, headDim, pair);
            double stretch = factor * length / originalLength - (factor - 1);
            double base = theta * Math.pow(stretch, headDim / (headDim - 2.0));
            return unscaled(base, headDim, pair);
        }

        @Override
        public boolean dependsOnLength() {
            return true;
        }
    }

    /**
     * Low frequencies are divided by a factor, high ones kept, those between interpolated (Llama
     * 3.1).
     *
     * @param lowFactor a pair that turns fewer times over the original length is of low frequency
     * @param highFactor a pair that turns more often is of high frequency; above {@code lowFactor}
     * @param originalLength longest sequence that was trained on, in tokens
     */
    record Llama3(double factor, double lowFactor, double highFactor, int originalLength)
            implements RopeScaling {
        @Override
        public double frequency(double theta, int headDim, int pair, int length) {
            double trained = unscaled(theta, headDim, pair);
            double turns = originalLength * trained / (2 * Math.PI);
            double high = (turns - lowFactor) / (highFactor - lowFactor);
            double kept = Math.max(0, Math.min(1, high));
            return (1 - kept) * trained / factor + kept * trained;
        }
    }
}
