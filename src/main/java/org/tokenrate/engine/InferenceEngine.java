package org.tokenrate.engine;

import java.util.Optional;

/** An engine under test. Thread-safe; one per JMH trial. */
public interface InferenceEngine extends AutoCloseable {

    /** What this engine is and runs on; fixed for its lifetime. */
    EngineInfo info();

    /**
     * Queues a request and returns at once; {@code listener} hears of its tokens and its end.
     *
     * @throws IllegalArgumentException if the request can never run (more tokens than the model's
     *     context or the whole KV memory holds, a token outside the vocabulary), with the numbers
     * @throws IllegalStateException if the engine is closed
     */
    Generation submit(GenerationRequest request, TokenListener listener);

    /** Counters since the engine started. */
    EngineCounters counters();

    /**
     * Where the engine's time has gone since it started, up to this moment; empty unless it was
     * opened to tell ({@link EngineOptions#stages}) and can.
     */
    default Optional<StageTimes> stageTimes() {
        return Optional.empty();
    }

    /** Fails what is in flight, frees device memory and stops the engine's threads. Idempotent. */
    @Override
    void close();
}
