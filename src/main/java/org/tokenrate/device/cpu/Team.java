package org.tokenrate.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed team of threads that runs one task at a time, the caller among them. Work is claimed item
 * by item, so a thread that the system took away delays only its current item. Between tasks the
 * workers spin for a moment, since the next task of a forward pass comes within microseconds, and
 * then sleep.
 */
final class Team implements AutoCloseable {
    /** A piece of work: {@code run} is called once for each item, on any thread. */
    interface Task {
        void run(int item, int thread);
    }

    /** How long an idle worker looks out for the next task before it sleeps. */
    private static final long SPIN_NANOS = 200_000;

    private final Worker[] workers;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger busy = new AtomicInteger();
    private Task task;
    private int items;
    private volatile long epoch;
    private volatile boolean closed;
    private volatile Throwable failure;

    /** A team of {@code threads} threads: the caller and {@code threads - 1} workers. */
    Team(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    int threads() {
        return workers.length + 1;
    }

    /** Runs all items and returns when they are done. */
    void run(Task task, int items) {
        if (workers.length == 0 || items <= 1) {
            for (int i = 0; i < items; i++) task.run(i, 0);
            return;
        }
        this.task = task;
        this.items = items;
        next.set(0);
        busy.set(workers.length);
        epoch++; // only the caller writes it: publishes the task
        for (Worker w : workers) w.wake();
        work(task, items, 0);
        for (int spins = 0; busy.get() != 0; spins++) {
            // A worker that the system took off its core needs the core more than we do.
            if (spins < 10_000) Thread.onSpinWait();
            else Thread.yield();
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw new IllegalStateException(thrown.getMessage(), thrown);
        }
    }

    private void work(Task task, int items, int thread) {
        try {
            for (int i; (i = next.getAndIncrement()) < items; ) task.run(i, thread);
        } catch (Throwable t) {
            failure = t;
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Worker w : workers) {
            LockSupport.unpark(w);
            try {
                w.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private final class Worker extends Thread {
        private final int thread;
        private volatile boolean asleep;

        Worker(int thread) {
            super("cpu-device-" + thread);
            this.thread = thread;
            setDaemon(true);
        }

        void wake() {
            if (asleep) LockSupport.unpark(this);
        }

        @Override
        public void run() {
            long seen = 0;
            while (!closed) {
                if (epoch == seen) {
                    awaitTask(seen);
                    continue;
                }
                seen = epoch;
                work(task, items, thread);
                busy.decrementAndGet();
            }
        }

        private void awaitTask(long seen) {
            long start = System.nanoTime();
            do {
                for (int i = 0; i < 64; i++) {
                    if (epoch != seen || closed) return;
                    Thread.onSpinWait();
                }
            } while (System.nanoTime() - start < SPIN_NANOS);
            asleep = true;
            while (epoch == seen && !closed) LockSupport.park(this);
            asleep = false;
        }
    }
}
