package org.tokenrate.engine.simulated;

import java.util.SplittableRandom;

/** The factors of one JVM. Immutable. */
final class NoiseSource {
    /** Of splitmix64: spreads neighbouring numbers over all of them. */
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final Noise noise;
    private final long seed;
    private final double forkFactor;

    NoiseSource(Noise noise) {
        this(noise, noise.seed().orElseGet(NoiseSource::seedOfThisJvm));
    }

    NoiseSource(Noise noise, long seed) {
        this.noise = noise;
        this.seed = seed;
        forkFactor = factor(noise.fork(), new SplittableRandom(seed));
    }

    long seed() {
        return seed;
    }

    /**
     * When a request's tokens come.
     *
     * @param workload number of the workload it is in, from 0
     * @param requestSeed the request's own seed
     */
    TokenSchedule schedule(SimulatedTiming timing, long workload, long requestSeed) {
        if (noise.isNone()) {
            return new TokenSchedule(timing, 1, 0, new SplittableRandom(requestSeed));
        }
        long ofWorkload = mixed(seed, workload);
        double shared = forkFactor * factor(noise.iteration(), new SplittableRandom(ofWorkload));
        return new TokenSchedule(
                timing, shared, noise.step(), new SplittableRandom(mixed(ofWorkload, requestSeed)));
    }

    /** Log-normal with mean 1. */
    static double factor(double sigma, SplittableRandom random) {
        return sigma == 0 ? 1 : Math.exp(sigma * random.nextGaussian() - sigma * sigma / 2);
    }

    private static long seedOfThisJvm() {
        ProcessHandle self = ProcessHandle.current();
        long start = self.info().startInstant().map(i -> i.toEpochMilli()).orElse(0L);
        return mixed(start, self.pid());
    }

    private static long mixed(long a, long b) {
        return new SplittableRandom(a ^ new SplittableRandom(b + GOLDEN).nextLong()).nextLong();
    }
}
