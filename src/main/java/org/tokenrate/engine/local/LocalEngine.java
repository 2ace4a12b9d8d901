package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.DeviceException;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;
import org.tokenrate.model.Shard;

/**
 * A decoder behind the engine's seam: one thread schedules, computes and tells; with tensor
 * parallelism it computes for the first rank, and the other ranks have threads of their own.
 */
public final class LocalEngine implements InferenceEngine {
    private static final Logger LOG = LoggerFactory.getLogger(LocalEngine.class);

    /**
     * Tokens of an iteration beyond one for each running sequence: prompts at the speed of large
     * products, without holding up those that decode for long.
     */
    private static final int PROMPT_TOKENS = 256;

    /** More sequences at once only cost memory for activations; the rest wait. */
    private static final int MAX_RUNNING = 512;

    private final RankedDecoder decoder;
    private final StageClock clock;
    private final EngineInfo info;
    private final KvBlockPool pool;
    private final Scheduler scheduler;
    private final Batch batch;
    private final int[] chosen;
    private final int[] one = new int[1];
    private final Queue<Sequence> inbox = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean cancelRequested;
    private volatile Exception broken;
    private volatile long iterations;

    /**
     * Loads a model onto devices, gives it KV memory and starts the engine; the devices are closed
     * with the engine, or here if this fails.
     *
     * @param name the engine's name in reports
     * @param devices one for each of the {@code options.tp()} ranks
     * @param progress is told how loading goes
     * @throws IOException if the model cannot be read
     * @throws IllegalArgumentException if the model cannot be divided among so many ranks, or no
     *     memory is left for KV blocks, with the numbers
     */
    public static LocalEngine open(
            String name, List<Device> devices, EngineOptions options, LoadListener progress)
            throws IOException {
        try {
            return openOn(devices, name, options, progress);
        } catch (IOException | RuntimeException | Error e) {
            devices.forEach(Device::close);
            throw e;
        }
    }

    private static LocalEngine openOn(
            List<Device> devices, String name, EngineOptions options, LoadListener progress)
            throws IOException {
        int maxRunning = Math.min(options.maxBatchSize(), MAX_RUNNING);
        int maxTokens = maxRunning + PROMPT_TOKENS;
        ModelSource source = ModelSource.of(options.model(), options.modelFormat());
        List<Shard> shards = source.shards(options.tp());
        List<Device> used = devices;
        StageClock clock = StageClock.OFF;
        if (options.stages()) {
            var running = new RunningStageClock(System::nanoTime);
            used = staged(devices, running);
            clock = running;
        }
        try (Checkpoint checkpoint = source.open()) {
            Checkpoint watched = LoadProgress.watch(checkpoint, shards, progress);
            RankedDecoder decoder = new RankedDecoder(shards, watched, used, maxTokens, maxRunning);
            try {
                int blocks = decoder.blocksFor(options.cacheCount());
                EngineInfo info =
                        new EngineInfo(
                                name,
                                decoder.description(),
                                devices.get(0).dtype().label(),
                                options.tp(),
                                source.label(),
                                source.format().label(),
                                checkpoint.sha256(),
                                blocks,
                                RankedDecoder.BLOCK_TOKENS,
                                blocks * decoder.kvBlockBytes(),
                                decoder.weightBytes(),
                                devices.get(0).versions());
                LOG.info("{}", info);
                return new LocalEngine(decoder, clock, blocks, info, maxTokens, maxRunning);
            } catch (IOException | RuntimeException | Error e) {
                decoder.close();
                throw e;
            }
        }
    }

    /** The first rank's times are taken: the engine's thread is its own. */
    static List<Device> staged(List<Device> devices, RunningStageClock clock) {
        var all = new ArrayList<>(devices);
        all.set(0, new StagedDevice(devices.get(0), clock, devices.size() > 1));
        return all;
    }

    LocalEngine(RankedDecoder decoder, int blocks, EngineInfo info, int maxTokens, int maxRunning) {
        this(decoder, StageClock.OFF, blocks, info, maxTokens, maxRunning);
    }

    /**
     * @param decoder closed with the engine
     * @param clock that the decoder's first device tells too, if it is not off
     * @param maxTokens the token budget of an iteration
     * @param maxRunning most sequences that run at once
     */
    LocalEngine(
            RankedDecoder decoder,
            StageClock clock,
            int blocks,
            EngineInfo info,
            int maxTokens,
            int maxRunning) {
        this.decoder = decoder;
        this.clock = clock;
        this.info = info;
        decoder.allocate(blocks);
        pool = new KvBlockPool(blocks);
        scheduler = new Scheduler(pool, maxRunning);
        batch = new Batch(maxTokens, maxRunning);
        chosen = new int[maxRunning];
        thread = new Thread(this::run, "engine");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public EngineInfo info() {
        return info;
    }

    @Override
    public EngineCounters counters() {
        return new EngineCounters(iterations, scheduler.preemptions(), pool.inUse(), pool.peak());
    }

    @Override
    public Optional<StageTimes> stageTimes() {
        return clock.times();
    }

    @Override
    public Generation submit(GenerationRequest request, TokenListener listener) {
        refuseUnlessItCanRun(request);
        Exception cause = broken;
        if (cause != null) {
            throw new IllegalStateException("the engine failed: " + cause.getMessage(), cause);
        }
        if (closed) throw new IllegalStateException("the engine is closed");
        Sequence sequence = new Sequence(request, listener, this::cancelRequested);
        inbox.add(sequence);
        LockSupport.unpark(thread);
        return sequence;
    }

    private void refuseUnlessItCanRun(GenerationRequest request) {
        ModelConfig config = decoder.config();
        int prompt = request.promptTokens().length;
        long tokens = (long) prompt + request.maxNewTokens();
        if (tokens > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a prompt of %d and an answer of %d tokens exceed the model's context of %d"
                            .formatted(prompt, request.maxNewTokens(), config.maxPositions()));
        }
        long held = (long) pool.total() * RankedDecoder.BLOCK_TOKENS;
        if (tokens > held) {
            throw new IllegalArgumentException(
                    ("a prompt of %d and an answer of %d tokens exceed the KV cache of %d tokens;"
                                    + " give it more memory with cacheCount")
                            .formatted(prompt, request.maxNewTokens(), held));
        }
        for (int token : request.promptTokens()) {
            if (token < 0 || token >= config.vocabularySize()) {
                throw new IllegalArgumentException(
                        "token %d is not in the vocabulary of %d"
                                .formatted(token, config.vocabularySize()));
            }
        }
    }

    private void cancelRequested() {
        cancelRequested = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        while (!closed) {
            clock.enter(Stage.SCHEDULE);
            for (Sequence s; (s = inbox.poll()) != null; ) scheduler.add(s);
            if (cancelRequested) cancelAll();
            if (scheduler.idle()) {
                clock.enter(Stage.IDLE);
                if (inbox.isEmpty()) LockSupport.park(this);
                continue;
            }
            try {
                step();
            } catch (RuntimeException | Error e) {
                fail(e);
                return;
            }
        }
        endAll(new IllegalStateException("the engine was closed"));
    }

    private void step() {
        scheduler.next(batch);
        clock.iteration(batch.tokenCount() > batch.sequenceCount());
        decoder.forward(batch, chosen);
        clock.enter(Stage.DELIVER);
        iterations++; // only this thread writes
        List<Sequence> scheduled = scheduler.scheduled();
        int sample = 0;
        for (int i = 0; i < scheduled.size(); i++) {
            Sequence s = scheduled.get(i);
            if (s.pending() == 0) deliver(s, chosen[sample++]);
        }
    }

    private void deliver(Sequence s, int token) {
        s.tokens[s.known++] = token;
        boolean stop = !s.request.ignoreEos() && decoder.config().eosTokens().contains(token);
        boolean end = stop || s.generated() == s.request.maxNewTokens();
        if (end) scheduler.remove(s);
        try {
            if (s.request.stream()) {
                one[0] = token;
                s.listener.onTokens(one, 1);
            }
            if (end) {
                if (!s.request.stream()) {
                    int[] answer = new int[s.generated()];
                    System.arraycopy(
                            s.tokens, s.request.promptTokens().length, answer, 0, answer.length);
                    s.listener.onTokens(answer, answer.length);
                }
                s.listener.onFinished(stop ? FinishReason.STOP : FinishReason.LENGTH);
            }
        } catch (RuntimeException e) {
            LOG.error("A request's listener failed; the request is dropped", e);
            if (!end) scheduler.remove(s);
        }
    }

    private void cancelAll() {
        cancelRequested = false;
        for (Sequence s : scheduler.all()) {
            if (!s.cancelled) continue;
            scheduler.remove(s);
            try {
                s.listener.onFinished(FinishReason.CANCELLED);
            } catch (RuntimeException e) {
                LOG.error("A cancelled request's listener failed", e);
            }
        }
    }

    private void fail(Throwable e) {
        if (e instanceof DeviceException) LOG.error("The engine failed: {}", e.getMessage());
        else LOG.error("The engine failed", e);
        Exception cause =
                new IllegalStateException(
                        e.getMessage() == null ? e.toString() : e.getMessage(), e);
        broken = cause;
        endAll(cause);
    }

    private void endAll(Exception cause) {
        for (Sequence s; (s = inbox.poll()) != null; ) scheduler.add(s);
        for (Sequence s : scheduler.all()) {
            scheduler.remove(s);
            try {
                s.listener.onFailed(cause);
            } catch (RuntimeException e) {
                LOG.error("A failed request's listener failed", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("an engine cannot be closed from its own thread");
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true; // device memory may be freed only after the thread's end
            }
        }
        // What was submitted beside the closing.
        endAll(new IllegalStateException("the engine was closed"));
        decoder.close();
        if (interrupted) Thread.currentThread().interrupt();
    }
}
