package org.tokenrate.metrics;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.tokenrate.workload.RequestRecord;

/**
 * What charts need of one iteration's records, and some thousandth of their size. The order of the
 * records does not matter. As everywhere, requests that failed are in no latency and no token
 * count; they were in flight all the same.
 *
 * <p>Latencies are in histograms whose bins are less than 1 % of their value wide; no figure of a
 * table comes from them.
 */
public final class BinnedRun {
    /** HdrHistogram's word for bins of less than 1 %. */
    private static final int SIGNIFICANT_DIGITS = 2;

    private static final long LATEST_NANOS = 100 * 86_400_000_000_000L;

    private final Histogram ttft;
    private final Histogram itl;
    private final Histogram tpot;
    private final Histogram e2e;
    private final TimeBins tokens;
    private final TimeBins inFlight;

    /**
     * As read from a file.
     *
     * @param ttft in nanoseconds, as all of the histograms
     * @param tokens generated tokens by the time of their step
     * @param inFlight nanoseconds that requests spent in flight
     */
    public BinnedRun(
            Histogram ttft,
            Histogram itl,
            Histogram tpot,
            Histogram e2e,
            TimeBins tokens,
            TimeBins inFlight) {
        this.ttft = ttft;
        this.itl = itl;
        this.tpot = tpot;
        this.e2e = e2e;
        this.tokens = tokens;
        this.inFlight = inFlight;
    }

    /** Of no records yet. */
    public BinnedRun() {
        this(
                newHistogram(),
                newHistogram(),
                newHistogram(),
                newHistogram(),
                new TimeBins(),
                new TimeBins());
    }

    public static BinnedRun of(List<RequestRecord> records) {
        var run = new BinnedRun();
        records.forEach(run::add);
        return run;
    }

    /** An empty histogram with this class's bins. */
    public static Histogram newHistogram() {
        return new Histogram(SIGNIFICANT_DIGITS);
    }

    /**
     * @throws IllegalArgumentException if its times are not in order or beyond a hundred days, as
     *     those of a file may be
     */
    public void add(RequestRecord r) {
        requireOrder(r);
        inFlight.addSpan(r.submitNanos(), r.finishNanos());
        if (r.failed()) return;
        e2e.recordValue(Latencies.e2e(r));
        Latencies.ttft(r).ifPresent(ttft::recordValue);
        Latencies.tpot(r).ifPresent(nanos -> tpot.recordValue(Math.round(nanos)));
        long[] steps = r.stepNanos();
        for (int i = 1; i < steps.length; i++) itl.recordValue(steps[i] - steps[i - 1]);
        for (int i = 0; i < steps.length; i++) tokens.add(steps[i], r.stepTokens()[i]);
        if (steps.length == 0) tokens.add(r.finishNanos(), r.generatedTokens());
    }

    private static void requireOrder(RequestRecord r) {
        long before = Math.max(0, r.submitNanos());
        boolean inOrder = r.submitNanos() >= 0 && r.finishNanos() <= LATEST_NANOS;
        if (r.firstTokenNanos() >= 0) inOrder &= r.firstTokenNanos() >= before;
        for (long step : r.stepNanos()) {
            inOrder &= step >= before;
            before = step;
        }
        inOrder &= r.finishNanos() >= before;
        if (inOrder) return;
        throw new IllegalArgumentException(
                "the times of request %d are not in order, or beyond a hundred days"
                        .formatted(r.index()));
    }

    public Histogram ttft() {
        return ttft;
    }

    public Histogram itl() {
        return itl;
    }

    public Histogram tpot() {
        return tpot;
    }

    public Histogram e2e() {
        return e2e;
    }

    /** Generated tokens by the time of their step, or of the answer that came whole. */
    public TimeBins tokens() {
        return tokens;
    }

    /** Nanoseconds that requests spent in flight: over the bin's width, how many there were. */
    public TimeBins inFlight() {
        return inFlight;
    }
}
