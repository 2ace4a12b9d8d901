package org.tokenrate.engine.local;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.device.Batch;
import org.tokenrate.engine.SamplingParams;

/**
 * Continuous batching: picks each iteration's tokens. Every running sequence's next token comes
 * first, for the latency of those that run; then prompts, in chunks, up to the token budget.
 * Sequences join and leave between iterations.
 *
 * <p>KV blocks are taken as sequences grow. When they run out, the newest running sequence gives
 * its blocks back and waits again, in front: what it had generated is kept and computed anew, as if
 * it were prompt. The oldest always goes on, so all finish.
 */
final class Scheduler {
    private final KvBlockPool pool;
    private final int maxRunning;
    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();

    /** In the order in which they were admitted. */
    private final List<Sequence> running = new ArrayList<>();

    /** The iteration's sequences, in the batch's order. */
    private final List<Sequence> scheduled = new ArrayList<>();

    private volatile long preemptions;

    Scheduler(KvBlockPool pool, int maxRunning) {
        this.pool = pool;
        this.maxRunning = maxRunning;
    }

    void add(Sequence sequence) {
        waiting.add(sequence);
    }

    boolean idle() {
        return waiting.isEmpty() && running.isEmpty();
    }

    /** Fills the batch with the next iteration. */
    void next(Batch batch) {
        batch.clear();
        scheduled.clear();
        decode(batch);
        for (Sequence s : running) {
            // Decoding sequences are in already, or the budget was spent before them.
            if (s.pending() > 1 && batch.room() > 0) schedule(batch, s);
        }
        while (batch.room() > 0 && running.size() < maxRunning && canStart(waiting.peek())) {
            Sequence s = waiting.poll();
            s.takeBlocks(s.known, pool);
            running.add(s);
            schedule(batch, s);
        }
    }

    /** One token of every sequence whose prompt is done, oldest first. */
    private void decode(Batch batch) {
        for (int i = 0; i < running.size() && batch.room() > 0; i++) {
            Sequence s = running.get(i);
            if (s.pending() != 1) continue;
            while (s.missingBlocks(s.known) > pool.free()) {
                Sequence newest = running.get(running.size() - 1);
                preempt(newest);
                if (newest == s) return;
            }
            s.takeBlocks(s.known, pool);
            schedule(batch, s);
        }
    }

    private void preempt(Sequence s) {
        running.remove(running.size() - 1);
        s.giveBackBlocks(pool);
        waiting.addFirst(s);
        preemptions++; // only this thread writes
    }

    /** Whether its blocks are free, with one to spare for each running sequence to grow into. */
    private boolean canStart(Sequence s) {
        return s != null && s.missingBlocks(s.known) + running.size() <= pool.free();
    }

    private void schedule(Batch batch, Sequence s) {
        int to = s.computed + Math.min(s.pending(), batch.room());
        batch.add(s.tokens, s.computed, to, s.request.promptTokens().length, s.blocks);
        s.computed = to;
        if (s.pending() == 0) {
            SamplingParams p = s.request.sampling();
            batch.sampleNext(p.greedy() ? 1 : p.topK(), p.topP(), p.temperature(), p.seed());
        }
        scheduled.add(s);
    }

    /** The sequences of the last iteration, in the batch's order. */
    List<Sequence> scheduled() {
        return scheduled;
    }

    /** Takes a sequence out and frees its blocks. */
    void remove(Sequence s) {
        if (!running.remove(s)) waiting.remove(s);
        s.giveBackBlocks(pool);
    }

    /** All that run or wait, in order; a copy. */
    List<Sequence> all() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting);
        return all;
    }

    long preemptions() {
        return preemptions;
    }
}
