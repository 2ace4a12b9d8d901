package org.tokenrate.engine.local;

import java.lang.invoke.VarHandle;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;

/**
 * Adds up the time between one call and the next, without a gap. One thread writes and allocates
 * nothing; readers look again if it wrote meanwhile (a sequence lock), so it never waits for them.
 */
final class RunningStageClock implements StageClock {
    private static final int STAGES = Stage.values().length;
    private static final int IDLE = Stage.IDLE.ordinal();

    private final LongSupplier nanoTime;

    /** Odd while the rest is being written. */
    private final AtomicLong version = new AtomicLong();

    private final long[] prefill = new long[STAGES];
    private final long[] decode = new long[STAGES];
    private long prefillIterations;
    private long decodeIterations;
    private boolean hasPrompts;
    private int stage = IDLE;
    private long since;

    RunningStageClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        since = nanoTime.getAsLong();
    }

    @Override
    public void enter(Stage next) {
        long writing = beginWrite();
        long now = nanoTime.getAsLong();
        bank(hasPrompts, stage)[stage] += now - since;
        since = now;
        stage = next.ordinal();
        version.setRelease(writing + 1);
    }

    /**
     * The stage so far ends and this one begins, as with {@link #enter}; but of the time that it
     * took, other stages get what they are known to have had.
     *
     * @param known nanoseconds by the stages' ordinals; cut short, from the first on, where they
     *     are more than the stage took
     */
    void divide(long[] known, Stage next) {
        long writing = beginWrite();
        long now = nanoTime.getAsLong();
        long rest = now - since;
        for (int i = 0; i < STAGES; i++) {
            long part = Math.min(rest, known[i]);
            bank(hasPrompts, i)[i] += part;
            rest -= part;
        }
        bank(hasPrompts, stage)[stage] += rest;
        since = now;
        stage = next.ordinal();
        version.setRelease(writing + 1);
    }

    @Override
    public void iteration(boolean hasPrompts) {
        long writing = beginWrite();
        this.hasPrompts = hasPrompts;
        if (hasPrompts) prefillIterations++;
        else decodeIterations++;
        version.setRelease(writing + 1);
    }

    private long beginWrite() {
        long writing = version.getPlain() + 1;
        version.setOpaque(writing);
        VarHandle.storeStoreFence();
        return writing;
    }

    private long[] bank(boolean prompts, int stage) {
        return prompts && stage != IDLE ? prefill : decode;
    }

    @Override
    public Optional<StageTimes> times() {
        while (true) {
            long before = version.getAcquire();
            long[] p = prefill.clone();
            long[] d = decode.clone();
            long iterations = prefillIterations;
            long others = decodeIterations;
            int current = stage;
            boolean prompts = hasPrompts;
            long passed = nanoTime.getAsLong() - since;
            VarHandle.loadLoadFence();
            if (before % 2 != 0 || version.getOpaque() != before) {
                Thread.onSpinWait();
                continue;
            }
            (prompts && current != IDLE ? p : d)[current] += passed;
            return Optional.of(new StageTimes(p, d, iterations, others));
        }
    }
}
