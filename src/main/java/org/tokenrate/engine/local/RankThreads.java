package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread for each rank, the caller's for the first. A task runs on all of them at the same time;
 * when one fails the others are told, so that none waits for it.
 */
final class RankThreads implements AutoCloseable {
    /** What every rank does. */
    interface Task {
        void run(int rank) throws IOException;
    }

    /** How long a rank looks out for the next task before it sleeps. */
    private static final long SPIN_NANOS = 200_000;

    /** How often the caller looks for the others' end before it sleeps, and for how long. */
    private static final int SPINS = 2_000;

    private static final long NAP_NANOS = 50_000;

    private final Rank[] others;
    private final Runnable onFailure;
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private Task task;
    private volatile long epoch;
    private volatile boolean closed;

    /**
     * @param onFailure is called when a rank fails, on its thread: lets operations of the others
     *     that wait for it fail
     */
    RankThreads(int ranks, Runnable onFailure) {
        this.onFailure = onFailure;
        others = new Rank[ranks - 1];
        for (int i = 0; i < others.length; i++) {
            others[i] = new Rank(i + 1);
            others[i].start();
        }
    }

    /**
     * Runs a task on every rank and returns when all have ended.
     *
     * @throws IOException as the first rank that failed threw it; so with any other exception
     */
    void run(Task task) throws IOException {
        if (closed) throw new IllegalStateException("the ranks are closed");
        this.task = task;
        running.set(others.length);
        epoch++; // only the caller writes it
        for (Rank r : others) r.wake();
        perform(0);
        for (int i = 0; running.get() > 0; i++) {
            if (i < SPINS) Thread.onSpinWait();
            else LockSupport.parkNanos(NAP_NANOS);
        }
        Throwable thrown = failure.getAndSet(null);
        if (thrown instanceof IOException e) throw e;
        if (thrown instanceof RuntimeException e) throw e;
        if (thrown instanceof Error e) throw e;
    }

    private void perform(int rank) {
        try {
            task.run(rank);
        } catch (Throwable t) {
            // Those who fail because this one did come later.
            if (!failure.compareAndSet(null, t)) return;
            try {
                onFailure.run();
            } catch (RuntimeException e) {
                t.addSuppressed(e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        for (Rank r : others) {
            LockSupport.unpark(r);
            while (r.isAlive()) {
                try {
                    r.join();
                } catch (InterruptedException e) {
                    interrupted = true; // devices may be freed only after their threads' end
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private final class Rank extends Thread {
        private final int rank;
        private volatile boolean asleep;

        Rank(int rank) {
            super("engine-rank-" + rank);
            this.rank = rank;
            setDaemon(true);
        }

        void wake() {
            if (asleep) LockSupport.unpark(this);
        }

        @Override
        public void run() {
            for (long seen = 0; awaitTask(seen); ) {
                seen = epoch;
                perform(rank);
                running.decrementAndGet();
            }
        }

        /** Whether there is a task, and not the end. */
        private boolean awaitTask(long seen) {
            long start = System.nanoTime();
            while (epoch == seen && !closed && System.nanoTime() - start < SPIN_NANOS) {
                for (int i = 0; i < 64 && epoch == seen; i++) Thread.onSpinWait();
            }
            asleep = true;
            while (epoch == seen && !closed) LockSupport.park(this);
            asleep = false;
            return !closed;
        }
    }
}
