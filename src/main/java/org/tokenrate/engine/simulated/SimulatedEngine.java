package org.tokenrate.engine.simulated;

import java.util.ArrayList;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.TokenListener;

/**
 * Sends token k of every request at {@code submit + ttft + k * tpot}, however many are in flight,
 * and never earlier; with {@link Noise} these times scatter. Tokens are pseudo-random ids below
 * {@code vocabularySize}, the same for the same sampling seed. One thread serves all requests in
 * the order of their deadlines; while it is late it sends without waiting until it has caught up.
 */
public final class SimulatedEngine implements InferenceEngine {
    /** Small enough for any tokenizer: byte-level ones have an id a byte before anything else. */
    public static final int DEFAULT_VOCABULARY_SIZE = 256;

    /** Most tokens of prompt and answer together. */
    public static final int MAX_TOKENS = 1 << 20;

    /** How late a parked thread may wake: the kernel's timer slack (50 us) and a switch. */
    private static final long SPIN_NANOS = 100_000;

    private static final Logger LOG = LoggerFactory.getLogger(SimulatedEngine.class);

    private final SimulatedTiming timing;
    private final int vocabularySize;
    private final EngineInfo info;
    private final long originNanos = System.nanoTime();
    private final NoiseSource noise;
    private final AtomicLong submitted = new AtomicLong();
    private final AtomicLong inFlight = new AtomicLong();
    private final AtomicLong workloads = new AtomicLong();
    private final ConcurrentLinkedQueue<SimulatedGeneration> inbox = new ConcurrentLinkedQueue<>();
    private final PriorityQueue<SimulatedGeneration> due =
            new PriorityQueue<>(SimulatedGeneration.TURN);
    private final int[] buffer = new int[4096];
    private final Thread thread;
    private volatile boolean closed;

    public SimulatedEngine(SimulatedTiming timing) {
        this(timing, DEFAULT_VOCABULARY_SIZE);
    }

    /**
     * @param vocabularySize token ids are below it; at least 1
     */
    public SimulatedEngine(SimulatedTiming timing, int vocabularySize) {
        if (vocabularySize < 1) {
            throw new IllegalArgumentException(
                    "vocabularySize=" + vocabularySize + " must be at least 1");
        }
        this.timing = timing;
        noise = new NoiseSource(timing.noise());
        if (!timing.noise().isNone()) LOG.info("noise from seed {}", noise.seed());
        this.vocabularySize = vocabularySize;
        info =
                new EngineInfo(
                        timing.engineName(),
                        "simulated (no device)",
                        "none",
                        1,
                        "none",
                        "none",
                        "",
                        0,
                        0,
                        0,
                        0,
                        Map.of());
        thread = new Thread(this::serve, "simulated-engine");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public EngineInfo info() {
        return info;
    }

    @Override
    public Generation submit(GenerationRequest request, TokenListener listener) {
        long now = now();
        if (closed) throw closedException();
        long tokens = (long) request.promptTokens().length + request.maxNewTokens();
        if (tokens > MAX_TOKENS) {
            throw new IllegalArgumentException(
                    "%d prompt tokens and %d new ones are %d, over the limit of %d"
                            .formatted(
                                    request.promptTokens().length,
                                    request.maxNewTokens(),
                                    tokens,
                                    MAX_TOKENS));
        }
        // A listener that submits the next request at the end of one goes on with the workload.
        boolean idle = inFlight.getAndIncrement() == 0 && Thread.currentThread() != thread;
        if (idle) workloads.incrementAndGet();
        long seed = request.sampling().seed();
        var generation =
                new SimulatedGeneration(
                        this,
                        submitted.getAndIncrement(),
                        now,
                        request,
                        listener,
                        timing.failRatio(),
                        noise.schedule(timing, workloads.get() - 1, seed),
                        vocabularySize);
        if (Thread.currentThread() == thread) {
            due.add(generation);
        } else {
            wake(generation);
            // The thread may have taken its last look at the inbox before this request was in it.
            if (closed && inbox.remove(generation)) {
                ended();
                throw closedException();
            }
        }
        return generation;
    }

    @Override
    public EngineCounters counters() {
        return EngineCounters.NONE;
    }

    @Override
    public void close() {
        closed = true;
        if (Thread.currentThread() == thread) return;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /** Brings a new or a cancelled request before the engine's thread. */
    void wake(SimulatedGeneration generation) {
        inbox.add(generation);
        LockSupport.unpark(thread);
    }

    /** A request no longer is in flight; said before its listener hears of it. */
    void ended() {
        inFlight.decrementAndGet();
    }

    /** A listener must not take the other requests down with it. */
    void listenerThrew(RuntimeException e) {
        LOG.error("a token listener threw at the end of its request", e);
    }

    private void serve() {
        try {
            while (!closed) serveOne();
        } finally {
            closed = true;
            failAll();
        }
    }

    private void serveOne() {
        admit();
        SimulatedGeneration next = due.peek();
        if (next == null) {
            LockSupport.park(this);
            return;
        }
        long now = now();
        long wait = next.dueNanos() - now;
        if (wait > SPIN_NANOS) {
            LockSupport.parkNanos(this, wait - SPIN_NANOS);
        } else if (wait > 0) {
            Thread.onSpinWait();
        } else {
            send(due.poll(), now);
        }
    }

    private void admit() {
        for (SimulatedGeneration g = inbox.poll(); g != null; g = inbox.poll()) {
            if (g.cancelled()) {
                due.remove(g);
                g.finishCancelled();
            } else {
                due.add(g);
            }
        }
    }

    /**
     * Sends while it is this request's turn, so that a request without delays costs no queueing.
     */
    private void send(SimulatedGeneration g, long now) {
        do {
            g.step(buffer);
        } while (!g.ended() && g.dueNanos() <= now && firstInTurn(g) && !g.cancelled() && !closed);
        if (!g.ended()) due.add(g);
    }

    private boolean firstInTurn(SimulatedGeneration g) {
        SimulatedGeneration next = due.peek();
        return next == null || SimulatedGeneration.TURN.compare(g, next) < 0;
    }

    private void failAll() {
        var open = new ArrayList<>(due);
        for (SimulatedGeneration g = inbox.poll(); g != null; g = inbox.poll()) open.add(g);
        var cause = new IllegalStateException("the engine was closed with the request in flight");
        for (SimulatedGeneration g : open) g.fail(cause);
    }

    private IllegalStateException closedException() {
        return new IllegalStateException("engine " + info.name() + " is closed");
    }

    private long now() {
        return System.nanoTime() - originNanos;
    }
}
