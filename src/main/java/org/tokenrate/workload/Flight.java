package org.tokenrate.workload;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;

/**
 * One request from its submit to its end: hears of its tokens, notes when they came, and lets its
 * slot go on to the next request. What it notes has its memory before the run starts.
 */
final class Flight implements TokenListener {
    private enum State {
        WAITING,
        SUBMITTING,
        IN_FLIGHT,
        ENDED
    }

    private static final String FAILED = "failed";

    private final LoadGenerator run;
    private final int index;
    private final Workload.Request request;
    private final long seed;
    private final long[] stepNanos;
    private final int[] stepTokens;
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private volatile Optional<Generation> generation = Optional.empty();

    private Slot slot;
    private int steps;
    private int generated;
    private long submitNanos;
    private long finishNanos;
    private String finishReason = "";
    private String error = "";

    Flight(LoadGenerator run, int index, Workload.Request request, long seed) {
        this.run = run;
        this.index = index;
        this.request = request;
        this.seed = seed;
        int mostSteps = run.options().stream() ? Math.max(0, request.outputTokens()) : 0;
        stepNanos = new long[mostSteps];
        stepTokens = new int[mostSteps];
    }

    /** Submits this request; whether it has ended by the time the engine's submit returns. */
    boolean submit(Slot slot) {
        this.slot = slot;
        state.set(State.SUBMITTING);
        submitNanos = run.now();
        try {
            generation = Optional.of(run.engine().submit(toEngineRequest(), this));
        } catch (RuntimeException e) {
            end(run.now(), FAILED, message(e));
        }
        return !state.compareAndSet(State.SUBMITTING, State.IN_FLIGHT);
    }

    @Override
    public void onTokens(int[] tokens, int count) {
        long now = run.now();
        if (state.getPlain() == State.ENDED) {
            error = "the engine sent tokens after the request's end";
            return;
        }
        if (count < 1) return;
        slot.heard(now);
        if (steps < stepNanos.length) {
            stepNanos[steps] = now;
            stepTokens[steps] = count;
            steps++;
        }
        generated += count;
        try {
            slot.detokenize(tokens, count);
        } catch (RuntimeException e) {
            error = "the detokenizer failed: " + message(e);
        } catch (Error e) {
            run.abort(e);
        }
    }

    @Override
    public void onFinished(FinishReason reason) {
        long now = run.now();
        if (generated == request.outputTokens() && reason != FinishReason.CANCELLED) {
            endAndGoOn(now, reason.name().toLowerCase(Locale.ROOT), "");
        } else {
            endAndGoOn(
                    now,
                    FAILED,
                    "the engine said %s after %d of %d tokens"
                            .formatted(reason, generated, request.outputTokens()));
        }
    }

    @Override
    public void onFailed(Exception cause) {
        endAndGoOn(run.now(), FAILED, message(cause));
    }

    boolean inFlight() {
        return state.get() == State.IN_FLIGHT;
    }

    void cancel() {
        if (inFlight()) generation.ifPresent(Generation::cancel);
    }

    RequestRecord toRecord() {
        return new RequestRecord(
                index,
                request.promptTokens().length,
                request.outputTokens(),
                generated,
                submitNanos,
                steps == 0 ? -1 : stepNanos[0],
                finishNanos,
                steps == stepNanos.length ? stepNanos : Arrays.copyOf(stepNanos, steps),
                steps == stepTokens.length ? stepTokens : Arrays.copyOf(stepTokens, steps),
                error.isEmpty() ? finishReason : FAILED,
                error);
    }

    @Override
    public String toString() {
        return "request %d (%d of %d tokens, submitted %.1f s ago)"
                .formatted(
                        index, generated, request.outputTokens(), (run.now() - submitNanos) / 1e9);
    }

    private GenerationRequest toEngineRequest() {
        SamplingParams all = run.options().sampling();
        return new GenerationRequest(
                request.promptTokens(),
                request.outputTokens(),
                new SamplingParams(all.topK(), all.topP(), all.temperature(), seed),
                true,
                run.options().stream());
    }

    private void endAndGoOn(long now, String reason, String why) {
        try {
            if (end(now, reason, why) == State.IN_FLIGHT) slot.submitUntilInFlight();
        } catch (Error e) {
            run.abort(e);
        }
    }

    /** Notes the end and returns the state before it: who submits the next follows from that. */
    private State end(long now, String reason, String why) {
        if (state.get() == State.ENDED) {
            error = "the engine ended the request twice";
            return State.ENDED;
        }
        slot.heard(now);
        finishNanos = now;
        finishReason = reason;
        if (error.isEmpty()) error = why;
        try {
            slot.endText();
        } catch (RuntimeException e) {
            error = "the detokenizer failed: " + message(e);
        }
        boolean failed = !error.isEmpty();
        // The last write: from here on the slot may be another request's.
        State before = state.getAndSet(State.ENDED);
        run.ended(failed);
        return before;
    }

    /** The message alone where it is a sentence for users, otherwise with the exception's name. */
    private static String message(Exception e) {
        String message = String.valueOf(e.getMessage());
        boolean sentence =
                e.getMessage() != null
                        && (e instanceof IllegalArgumentException
                                || e instanceof IllegalStateException);
        return sentence ? message : e.getClass().getSimpleName() + ": " + message;
    }
}
