package org.tokenrate.builtin;

/**
 * A random generator that gives the same numbers on every JDK: the mixer and the increment of
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014). Not
 * thread-safe.
 */
public final class SplitMix64 {
    /** What a counter goes up by. */
    public static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;
    private double spareGaussian = Double.NaN;

    SplitMix64(long seed) {
        this.state = seed;
    }

    long nextLong() {
        return mix(state += GOLDEN_GAMMA);
    }

    /** The finalizer: a good hash of 64 bits, which a counter makes a generator of. */
    public static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /** Uniform in [0, 1), with 53 bits. */
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }

    /** Uniform in [0, bound). */
    int nextInt(int bound) {
        return (int) ((nextLong() >>> 32) * bound >>> 32);
    }

    /** Uniform in [low, high]. */
    int between(int low, int high) {
        return low + nextInt(high - low + 1);
    }

    boolean chance(double probability) {
        return nextDouble() < probability;
    }

    /** Standard normal, by Marsaglia's polar method. */
    double nextGaussian() {
        if (!Double.isNaN(spareGaussian)) {
            double spare = spareGaussian;
            spareGaussian = Double.NaN;
            return spare;
        }
        while (true) {
            double u = 2 * nextDouble() - 1;
            double v = 2 * nextDouble() - 1;
            double s = u * u + v * v;
            if (s < 1 && s > 0) {
                // StrictMath: Math.log may differ in the last bit from one machine to the next.
                double scale = StrictMath.sqrt(-2 * StrictMath.log(s) / s);
                spareGaussian = v * scale;
                return u * scale;
            }
        }
    }
}
