package org.tokenrate.engine.simulated;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.tokenrate.workload.RequestRecord;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/**
 * A fork of the simulated engine under a closed loop, on a clock that does not wait: the same
 * schedules, so the same times as the engine's own but for its lateness, in thousandths of the
 * time.
 */
public final class VirtualRun {
    private final SimulatedTiming timing;
    private final NoiseSource noise;
    private long workloads;

    /**
     * @param forkSeed from which the fork's noise follows
     */
    public VirtualRun(SimulatedTiming timing, long forkSeed) {
        this.timing = timing;
        noise = new NoiseSource(timing.noise(), forkSeed);
    }

    /** The next workload of this fork; answers are streamed and none fails. */
    public WorkloadResult next(Workload workload, int concurrency, long samplingSeed) {
        long number = workloads++;
        var seeds = new SplittableRandom(samplingSeed);
        var freeAt = new PriorityQueue<Long>();
        for (int i = 0; i < concurrency; i++) freeAt.add(0L);
        List<RequestRecord> records = new ArrayList<>();
        for (Workload.Request r : workload.requests()) {
            TokenSchedule schedule = noise.schedule(timing, number, seeds.nextLong());
            long submit = freeAt.poll();
            long[] steps = new long[r.outputTokens()];
            steps[0] = submit + schedule.firstNanos();
            for (int i = 1; i < steps.length; i++) steps[i] = steps[i - 1] + schedule.nextNanos();
            long finish = steps[steps.length - 1];
            int[] ones = new int[steps.length];
            Arrays.fill(ones, 1);
            records.add(
                    new RequestRecord(
                            records.size(),
                            r.promptTokens().length,
                            steps.length,
                            steps.length,
                            submit,
                            steps[0],
                            finish,
                            steps,
                            ones,
                            "length",
                            ""));
            freeAt.add(finish);
        }
        return WorkloadResult.of(true, records);
    }
}
