package org.tokenrate.device.cuda.kernels;

import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** What the kernels' tests share: the GPU, and random input whose seed is printed on failure. */
abstract class OnGpu {
    static Gpu gpu;

    @BeforeAll
    static void open() {
        gpu = new Gpu();
    }

    @AfterEach
    void freeBuffers() {
        gpu.free();
    }

    @AfterAll
    static void close() {
        gpu.close();
    }

    /** -Dtokenrate.seed=N runs a failed test again. */
    static final long SEED =
            Long.getLong("tokenrate.seed", RandomGenerator.getDefault().nextLong() >>> 1);

    static Random random() {
        return new Random(SEED);
    }

    /** Fails unless {@code actual} is within {@code error} of {@code expected}. */
    static void near(double expected, double actual, double error, String what, Object... at) {
        if (Math.abs(expected - actual) <= error) return;
        throw new AssertionError(
                "%s: %s instead of %s, off by %.3g where %.3g may be (seed %d)"
                        .formatted(
                                what.formatted(at),
                                actual,
                                expected,
                                Math.abs(expected - actual),
                                error,
                                SEED));
    }
}
