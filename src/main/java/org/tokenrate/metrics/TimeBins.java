package org.tokenrate.metrics;

import java.util.Arrays;

/**
 * Amounts over time, in bins of equal width that begin at time 0. The width doubles whenever a time
 * lies beyond the last bin, so it depends on the latest time alone, in whatever order amounts come:
 * it is the least of 1 ms, 2 ms, 4 ms, … with which {@value #MOST} bins reach.
 */
public final class TimeBins {
    public static final int MOST = 512;

    private static final long LEAST_WIDTH_NANOS = 1_000_000;

    private long[] amounts = new long[MOST];
    private long widthNanos = LEAST_WIDTH_NANOS;
    private int used;

    /** Adds to the bin of a time. */
    void add(long nanos, long amount) {
        reach(nanos);
        int bin = (int) (nanos / widthNanos);
        amounts[bin] += amount;
        used = Math.max(used, bin + 1);
    }

    /** Adds to each bin the nanoseconds of it that lie from {@code from} to {@code to}. */
    void addSpan(long from, long to) {
        if (to <= from) return;
        reach(to - 1);
        int last = (int) ((to - 1) / widthNanos);
        for (int bin = (int) (from / widthNanos); bin <= last; bin++) {
            long begin = Math.max(from, bin * widthNanos);
            amounts[bin] += Math.min(to, (bin + 1) * widthNanos) - begin;
        }
        used = Math.max(used, last + 1);
    }

    private void reach(long nanos) {
        while (nanos >= MOST * widthNanos) {
            for (int i = 0; i < MOST / 2; i++) amounts[i] = amounts[2 * i] + amounts[2 * i + 1];
            Arrays.fill(amounts, MOST / 2, MOST, 0);
            used = (used + 1) / 2;
            widthNanos *= 2;
        }
    }

    /** As read from a file. */
    public static TimeBins of(long widthNanos, long[] amounts) {
        if (widthNanos < LEAST_WIDTH_NANOS
                || widthNanos > Long.MAX_VALUE / MOST
                || amounts.length > MOST) {
            throw new IllegalArgumentException(
                    "%d bins of %d ns are not what was written; there are %d at most, of 1 ms at least"
                            .formatted(amounts.length, widthNanos, MOST));
        }
        var bins = new TimeBins();
        bins.widthNanos = widthNanos;
        bins.amounts = Arrays.copyOf(amounts, MOST);
        bins.used = amounts.length;
        return bins;
    }

    public long widthNanos() {
        return widthNanos;
    }

    /** One a bin, up to the last one that has any. */
    public long[] amounts() {
        return Arrays.copyOf(amounts, used);
    }
}
