package org.tokenrate.engine.simulated;

import java.util.Comparator;
import java.util.SplittableRandom;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.TokenListener;

/** A request on its way through the schedule. Owned by the engine's thread, save for the flag. */
final class SimulatedGeneration implements Generation {
    /** Whose turn it is: the earlier deadline, then the earlier submit. */
    static final Comparator<SimulatedGeneration> TURN =
            (a, b) -> {
                int order = Long.compare(a.dueNanos, b.dueNanos);
                return order != 0 ? order : Long.compare(a.number, b.number);
            };

    private final SimulatedEngine engine;
    private final long number;
    private final TokenListener listener;
    private final SplittableRandom tokens;
    private final int vocabularySize;
    private final TokenSchedule schedule;
    private final boolean stream;
    private final boolean fails;
    private final int requested;
    private final int toSend;

    private long dueNanos;
    private int sent;
    private boolean ended;
    private volatile boolean cancelled;

    SimulatedGeneration(
            SimulatedEngine engine,
            long number,
            long submitNanos,
            GenerationRequest request,
            TokenListener listener,
            double failRatio,
            TokenSchedule schedule,
            int vocabularySize) {
        this.engine = engine;
        this.number = number;
        this.listener = listener;
        this.vocabularySize = vocabularySize;
        tokens = new SplittableRandom(request.sampling().seed());
        this.schedule = schedule;
        stream = request.stream();
        fails = failRatio > 0 && tokens.nextDouble() < failRatio;
        requested = request.maxNewTokens();
        toSend = fails ? requested / 2 : requested;
        dueNanos = submitNanos + schedule.firstNanos();
        if (!stream) {
            for (int i = 1; i < toSend; i++) dueNanos += schedule.nextNanos();
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        engine.wake(this);
    }

    long dueNanos() {
        return dueNanos;
    }

    boolean ended() {
        return ended;
    }

    boolean cancelled() {
        return cancelled;
    }

    /** Sends what is due now and moves the deadline on. {@code buffer} holds at least one token. */
    void step(int[] buffer) {
        try {
            if (sent < toSend) {
                int count = stream ? 1 : toSend;
                int[] out = count <= buffer.length ? buffer : new int[count];
                for (int i = 0; i < count; i++) out[i] = tokens.nextInt(vocabularySize);
                sent += count;
                // From the last deadline, not from now: being late once does not add up.
                if (sent < toSend) dueNanos += schedule.nextNanos();
                listener.onTokens(out, count);
            }
            if (sent == toSend) end();
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    void finishCancelled() {
        if (ended) return;
        ended = true;
        engine.ended();
        try {
            listener.onFinished(FinishReason.CANCELLED);
        } catch (RuntimeException e) {
            engine.listenerThrew(e);
        }
    }

    void fail(Exception cause) {
        if (ended) return;
        ended = true;
        engine.ended();
        try {
            listener.onFailed(cause);
        } catch (RuntimeException e) {
            engine.listenerThrew(e);
        }
    }

    private void end() {
        ended = true;
        engine.ended();
        try {
            if (fails) {
                listener.onFailed(
                        new IllegalStateException(
                                "simulated failure after %d of %d tokens"
                                        .formatted(sent, requested)));
            } else {
                listener.onFinished(FinishReason.LENGTH);
            }
        } catch (RuntimeException e) {
            engine.listenerThrew(e);
        }
    }
}
