package org.tokenrate.history;

import java.util.SplittableRandom;

/** Shapes that the scatter from run to run may have, around 100. */
enum Noise {
    NORMAL("normal, 1 %") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(n, i -> random.nextGaussian());
        }
    },
    SKEWED("log-normal, skewed") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(n, i -> Math.exp(random.nextGaussian()));
        }
    },
    OUTLIERS("normal, 10 % of points 20 times as far off") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(n, i -> random.nextGaussian() * (random.nextDouble() < 0.1 ? 20 : 1));
        }
    },
    HEAVY("Student's t, 2 degrees of freedom") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(
                    n,
                    i -> {
                        double e = -Math.log1p(-random.nextDouble());
                        return random.nextGaussian() / Math.sqrt(e);
                    });
        }
    },
    TWO_MODES("two modes, 3 % apart, at random") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(
                    n, i -> random.nextGaussian() * 0.3 + (random.nextBoolean() ? 1.5 : -1.5));
        }
    },
    ROUNDED("normal, 1 %, rounded to 1 %") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(n, i -> Math.rint(random.nextGaussian()));
        }
    },
    DRIFT("normal, 1 %, and a drift of 3 % from first to last") {
        @Override
        double[] series(int n, SplittableRandom random) {
            return around(n, i -> random.nextGaussian() + 3.0 * i / n);
        }
    },
    DEPENDENT("each point depends on the one before, correlation 0.3") {
        @Override
        double[] series(int n, SplittableRandom random) {
            double[] last = {random.nextGaussian()};
            return around(
                    n,
                    i -> {
                        last[0] = 0.3 * last[0] + Math.sqrt(1 - 0.09) * random.nextGaussian();
                        return last[0];
                    });
        }
    };

    private interface Deviation {
        double at(int index);
    }

    private final String words;

    Noise(String words) {
        this.words = words;
    }

    abstract double[] series(int n, SplittableRandom random);

    String words() {
        return words;
    }

    /** Whether a point says nothing of the next, as the method supposes. */
    boolean isIndependent() {
        return this != DRIFT && this != DEPENDENT;
    }

    private static double[] around(int n, Deviation percent) {
        double[] values = new double[n];
        for (int i = 0; i < n; i++) values[i] = 100 * Math.exp(0.01 * percent.at(i));
        return values;
    }
}
