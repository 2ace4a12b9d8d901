package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.Device;
import org.tokenrate.device.KvCache;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

/** A decoder on a device behind the engine's seam: one thread schedules, computes and tells. */
public final class LocalEngine implements InferenceEngine {
    private static final Logger LOG = LoggerFactory.getLogger(LocalEngine.class);

    /**
     * Tokens of an iteration beyond one for each running sequence: prompts at the speed of large
     * products, without holding up those that decode for long.
     */
    private static final int PROMPT_TOKENS = 256;

    /** More sequences at once only cost memory for activations; the rest wait. */
    private static final int MAX_RUNNING = 512;

    private final Device device;
    private final Decoder decoder;
    private final KvCache cache;
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
     * Loads a model onto a device, gives it KV memory and starts the engine; the device is closed
     * with the engine, or here if this fails.
     *
     * @param name the engine's name in reports
     * @param progress is told how loading goes
     * @throws IOException if the model cannot be read
     * @throws IllegalArgumentException if no memory is left for KV blocks, with the numbers
     */
    public static LocalEngine open(
            String name, Device device, EngineOptions options, LoadListener progress)
            throws IOException {
        int maxRunning = Math.min(options.maxBatchSize(), MAX_RUNNING);
        int maxTokens = maxRunning + PROMPT_TOKENS;
        try {
            ModelSource source = ModelSource.of(options.model(), options.modelFormat());
            return open(name, device, options, source, progress, maxTokens, maxRunning);
        } catch (IOException | RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    private static LocalEngine open(
            String name,
            Device device,
            EngineOptions options,
            ModelSource source,
            LoadListener progress,
            int maxTokens,
            int maxRunning)
            throws IOException {
        ModelConfig config = source.config();
        try (Checkpoint checkpoint = source.open()) {
            Checkpoint watched = LoadProgress.watch(checkpoint, config, progress);
            Decoder decoder = new Decoder(config, watched, device, maxTokens, maxRunning);
            long blockBytes =
                    device.kvBlockBytes(config.layers(), config.kvHeads(), config.headDim());
            int blocks = blocks(device.freeBytes(), options.cacheCount(), blockBytes);
            EngineInfo info =
                    new EngineInfo(
                            name,
                            device.description(),
                            device.dtype().label(),
                            options.tp(),
                            source.label(),
                            source.format().label(),
                            checkpoint.sha256(),
                            blocks,
                            KvCache.BLOCK_TOKENS,
                            blocks * blockBytes,
                            decoder.weightBytes(),
                            device.versions());
            LOG.info("{}", info);
            return new LocalEngine(device, decoder, blocks, info, maxTokens, maxRunning);
        }
    }

    private static int blocks(long freeBytes, double ratio, long blockBytes) {
        long blocks = (long) (freeBytes * ratio / blockBytes);
        if (blocks < 1) {
            throw new IllegalArgumentException(
                    ("cacheCount=%s of the %d MiB that are free holds no KV block of %d bytes;"
                                    + " raise cacheCount or, for engine=cpu, the heap (-Xmx)")
                            .formatted(ratio, freeBytes >> 20, blockBytes));
        }
        return (int) Math.min(blocks, Integer.MAX_VALUE / KvCache.BLOCK_TOKENS);
    }

    /**
     * @param maxTokens the token budget of an iteration
     * @param maxRunning most sequences that run at once
     */
    LocalEngine(
            Device device,
            Decoder decoder,
            int blocks,
            EngineInfo info,
            int maxTokens,
            int maxRunning) {
        this.device = device;
        this.decoder = decoder;
        this.info = info;
        ModelConfig config = decoder.config();
        cache = device.newKvCache(blocks, config.layers(), config.kvHeads(), config.headDim());
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
        long held = (long) pool.total() * KvCache.BLOCK_TOKENS;
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
            for (Sequence s; (s = inbox.poll()) != null; ) scheduler.add(s);
            if (cancelRequested) cancelAll();
            if (scheduler.idle()) {
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
        decoder.forward(batch, cache, chosen);
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
        LOG.error("The engine failed", e);
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
        device.close();
        if (interrupted) Thread.currentThread().interrupt();
    }
}
