package org.tokenrate.workload;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.TokenListener;

/** An engine that does with each request, inside its submit, what the test says. */
final class ScriptedEngine implements InferenceEngine {
    private final Consumer<Submitted> script;

    /** A request as the engine sees it. */
    static final class Submitted implements Generation {
        final GenerationRequest request;
        final TokenListener listener;
        volatile boolean cancelled;

        Submitted(GenerationRequest request, TokenListener listener) {
            this.request = request;
            this.listener = listener;
        }

        void send(int tokens) {
            listener.onTokens(new int[tokens], tokens);
        }

        void finish() {
            listener.onFinished(FinishReason.LENGTH);
        }

        /** All the tokens that were asked for, one a step, and the end. */
        void complete() {
            for (int i = 0; i < request.maxNewTokens(); i++) send(1);
            finish();
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    ScriptedEngine(Consumer<Submitted> script) {
        this.script = script;
    }

    /** An engine whose requests stay in flight until the test takes them out and ends them. */
    static ScriptedEngine leavingInFlight(BlockingQueue<Submitted> inFlight) {
        return new ScriptedEngine(inFlight::add);
    }

    static BlockingQueue<Submitted> newQueue() {
        return new LinkedBlockingQueue<>();
    }

    /** The next request that is submitted, waiting for it. */
    static Submitted take(BlockingQueue<Submitted> inFlight) throws InterruptedException {
        Submitted s = inFlight.poll(20, TimeUnit.SECONDS);
        assertNotNull(s, "no request was submitted");
        return s;
    }

    @Override
    public EngineInfo info() {
        return new EngineInfo(
                "scripted", "none", "none", 1, "none", "none", "", 0, 0, 0, 0, Map.of());
    }

    @Override
    public Generation submit(GenerationRequest request, TokenListener listener) {
        var submitted = new Submitted(request, listener);
        script.accept(submitted);
        return submitted;
    }

    @Override
    public EngineCounters counters() {
        return EngineCounters.NONE;
    }

    @Override
    public void close() {}
}
