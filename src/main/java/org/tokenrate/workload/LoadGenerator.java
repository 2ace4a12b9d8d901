package org.tokenrate.workload;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.StageTimes;

/**
 * A closed loop: {@code concurrency} requests are in flight until the workload runs out; the end of
 * one, on the engine's thread, submits the next. There is no thread a request.
 *
 * <p>End-of-sequence is ignored, so that a request generates exactly the tokens that the workload
 * asks for; one that ends with any other number has failed, however it ended.
 */
public final class LoadGenerator {
    private static final Logger LOG = LoggerFactory.getLogger(LoadGenerator.class);
    private static final long SAMPLE_MILLIS = 20;
    private static final int SAMPLES_A_PROGRESS = 5;

    private final InferenceEngine engine;
    private final LoadOptions options;
    private final List<Flight> flights;
    private final List<Slot> slots;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger left;
    private final AtomicInteger failed = new AtomicInteger();
    private final CountDownLatch done = new CountDownLatch(1);
    private final EngineSampler sampler;
    private ProgressListener progress;
    private Optional<StageTimes> stages = Optional.empty();
    private long startNanos;
    private volatile boolean stopped;
    private volatile Error error;

    /**
     * Runs the whole workload and returns what was seen of it; requests that fail are in the
     * records and end nothing.
     *
     * @throws IllegalArgumentException if the workload is empty
     * @throws EngineStalledException if nothing was heard of the engine for the stall timeout; what
     *     was in flight is cancelled
     * @throws InterruptedException if this thread is interrupted; what was in flight is cancelled
     */
    public static WorkloadResult run(InferenceEngine engine, Workload workload, LoadOptions options)
            throws InterruptedException {
        if (workload.requests().isEmpty()) {
            throw new IllegalArgumentException("the workload has no requests; it needs at least 1");
        }
        return new LoadGenerator(engine, workload, options).run();
    }

    private LoadGenerator(InferenceEngine engine, Workload workload, LoadOptions options) {
        this.engine = engine;
        this.options = options;
        progress = options.progress();
        sampler = new EngineSampler(engine.info().kvBlocks() > 0, engine::counters);
        int count = workload.requests().size();
        left = new AtomicInteger(count);
        flights = new ArrayList<>(count);
        var seeds = new SplittableRandom(options.sampling().seed());
        for (Workload.Request request : workload.requests()) {
            flights.add(new Flight(this, flights.size(), request, seeds.nextLong()));
        }
        int slotCount = Math.min(options.concurrency(), count);
        slots = new ArrayList<>(slotCount);
        for (int i = 0; i < slotCount; i++) {
            slots.add(new Slot(this, options.tokenizer().newDetokenizer()));
        }
    }

    private WorkloadResult run() throws InterruptedException {
        startNanos = System.nanoTime();
        try {
            sampler.sample(now());
            Optional<StageTimes> before = engine.stageTimes();
            fillSlots();
            for (int i = 1; !done.await(SAMPLE_MILLIS, TimeUnit.MILLISECONDS); i++) {
                sampler.sample(now());
                if (i % SAMPLES_A_PROGRESS != 0) continue;
                reportProgress();
                checkForStall();
            }
            stages = before.flatMap(b -> engine.stageTimes().map(after -> after.since(b)));
            sampler.sample(now());
        } finally {
            if (left.get() > 0) cancelAll();
        }
        Error thrown = error;
        if (thrown != null) throw thrown;
        reportProgress();
        return result();
    }

    /** Every slot gets its first request before any gets a second, however fast the engine is. */
    private void fillSlots() {
        List<Slot> free = new ArrayList<>();
        for (Slot slot : slots) {
            if (slot.submitNext()) free.add(slot);
        }
        for (Slot slot : free) slot.submitUntilInFlight();
    }

    private WorkloadResult result() {
        List<RequestRecord> records = new ArrayList<>(flights.size());
        for (Flight f : flights) records.add(f.toRecord());
        if (LOG.isDebugEnabled()) {
            LOG.debug("{} characters of text", slots.stream().mapToLong(Slot::characters).sum());
        }
        return WorkloadResult.of(options.stream(), records).withEngine(sampler.samples(), stages);
    }

    private void reportProgress() {
        try {
            progress.onProgress(flights.size() - left.get(), failed.get(), flights.size());
        } catch (RuntimeException e) {
            LOG.warn("progress is no longer shown: {}", e.toString());
            progress = ProgressListener.NONE;
        }
    }

    private void checkForStall() {
        long lastEvent = 0;
        for (Slot slot : slots) lastEvent = Math.max(lastEvent, slot.lastEventNanos());
        long idle = now() - lastEvent;
        if (idle < options.stallTimeout().toNanos()) return;
        String oldest =
                flights.stream()
                        .filter(Flight::inFlight)
                        .findFirst()
                        .map(f -> "the oldest is " + f)
                        .orElse("none is in flight");
        throw new EngineStalledException(
                "engine %s was silent for %.1f s with %d of %d requests to go; %s; if it is only slow, allow a longer stall timeout"
                        .formatted(
                                engine.info().name(),
                                idle / 1e9,
                                left.get(),
                                flights.size(),
                                oldest));
    }

    private void cancelAll() {
        stopped = true;
        for (Flight f : flights) {
            try {
                f.cancel();
            } catch (RuntimeException e) {
                LOG.warn("{} could not be cancelled: {}", f, e.toString());
            }
        }
    }

    /** The next request, or nothing when all are taken or the run is given up. */
    Optional<Flight> take() {
        if (stopped) return Optional.empty();
        int index = next.getAndIncrement();
        return index < flights.size() ? Optional.of(flights.get(index)) : Optional.empty();
    }

    /** Called once for each request that ended, from whichever thread ended it. */
    void ended(boolean hasFailed) {
        if (hasFailed) failed.incrementAndGet();
        if (left.decrementAndGet() == 0) done.countDown();
    }

    /** Gives up on an error of the JVM, which the caller's thread then throws. */
    void abort(Error e) {
        error = e;
        stopped = true;
        done.countDown();
    }

    InferenceEngine engine() {
        return engine;
    }

    LoadOptions options() {
        return options;
    }

    /** Nanoseconds since the start. */
    long now() {
        return System.nanoTime() - startNanos;
    }
}
