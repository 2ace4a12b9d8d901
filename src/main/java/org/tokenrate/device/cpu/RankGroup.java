package org.tokenrate.device.cpu;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The ranks of one process: each shows the others a tensor and waits until all have come. Arrivals
 * are counted and never reset, so the n-th meeting is over when every rank has come n times.
 */
final class RankGroup {
    /** How often a rank looks for the others before it lets them onto its core. */
    private static final int SPINS = 2_000;

    private final CpuTensor[] shown;
    private final AtomicLong arrived = new AtomicLong();
    private final int spins;
    private volatile boolean aborted;

    /**
     * @param ranks how many there are
     * @param threads of all of them together: with more than there are cores, waiting must not hold
     *     one
     */
    RankGroup(int ranks, int threads) {
        shown = new CpuTensor[ranks];
        spins = threads > Runtime.getRuntime().availableProcessors() ? 0 : SPINS;
    }

    int ranks() {
        return shown.length;
    }

    /** What a rank shows; between the meeting that it was brought to and the next. */
    CpuTensor shown(int rank) {
        return shown[rank];
    }

    /** Shows a tensor at the next meeting. */
    void show(int rank, CpuTensor tensor) {
        shown[rank] = tensor;
    }

    /**
     * Returns when every rank has come. What each did before, all see afterwards.
     *
     * @param meeting counts this rank's meetings, from 1
     * @throws IllegalStateException if a rank will not come any more
     */
    void meet(long meeting) {
        long all = meeting * shown.length;
        arrived.incrementAndGet();
        for (int i = 0; arrived.get() < all || aborted; i++) {
            if (aborted) throw new IllegalStateException("another rank has failed");
            if (i < spins) Thread.onSpinWait();
            else Thread.yield();
        }
    }

    void abort() {
        aborted = true;
    }
}
