package org.tokenrate.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed team of threads that runs one task at a time, the caller among them. Item i belongs to
 * thread {@code i % threads}: what it touches, a slice of weights or the cache of a head, stays
 * near that thread's core from one task to the next. A thread that is through with its own items
 * helps the others with theirs, and a task is over when its items are done, whoever did them: a
 * worker that the system took off its core holds up nothing but an item it is in the middle of.
 * Between tasks the workers spin for a moment, since the next task of a forward pass comes within
 * microseconds, and then sleep.
 */
final class Team implements AutoCloseable {
    /** A piece of work: {@code run} is called once for each item, on any thread. */
    interface Task {
        void run(int item, int thread);
    }

    /** How long an idle worker looks out for the next task before it sleeps. */
    private static final long SPIN_NANOS = 200_000;

    /** How often a waiting caller looks before it lets others onto its core. */
    private static final int SPINS = 2_000;

    private static final long NONE = 0;

    /** Counters this far apart share no cache line, nor a pair of lines that is fetched as one. */
    private static final int APART = 32;

    private final Worker[] workers;

    /** How many of its items each thread's share has handed out, a cache line each. */
    private final AtomicIntegerArray claimed;

    /** Workers that are at a task, or about to find that it is over. */
    private final AtomicInteger inside = new AtomicInteger();

    private Task task;
    private int items;
    private volatile long epoch;

    /** The epoch whose task may be joined, or {@link #NONE}. */
    private volatile long open;

    private volatile boolean closed;
    private volatile Throwable failure;

    /** A team of {@code threads} threads: the caller and {@code threads - 1} workers. */
    Team(int threads) {
        workers = new Worker[threads - 1];
        claimed = new AtomicIntegerArray((threads + 1) * APART);
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
        if (closed) throw new IllegalStateException("the device is closed");
        if (workers.length == 0 || items <= 1) {
            for (int i = 0; i < items; i++) task.run(i, 0);
            return;
        }
        this.task = task;
        this.items = items;
        for (int t = 0; t < threads(); t++) claimed.setPlain((t + 1) * APART, 0);
        long next = epoch + 1; // only the caller writes it
        open = next;
        epoch = next;
        for (Worker w : workers) w.wake();
        work(task, items, 0);
        open = NONE;
        // A worker counts itself in before it looks whether the task is open: either it finds it
        // closed, or it is seen here.
        for (int spins = 0; inside.get() != 0; spins++) {
            if (spins < SPINS) Thread.onSpinWait();
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
            int threads = threads();
            for (int share = thread; share < thread + threads; share++) {
                int owner = share % threads;
                int counter = (owner + 1) * APART;
                for (int item; (item = owner + threads * claimed.get(counter)) < items; ) {
                    item = owner + threads * claimed.getAndIncrement(counter);
                    if (item < items) task.run(item, thread);
                }
            }
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
                inside.incrementAndGet();
                if (open == seen) work(task, items, thread);
                inside.decrementAndGet();
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
