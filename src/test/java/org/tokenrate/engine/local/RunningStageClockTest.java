package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;

class RunningStageClockTest {
    private static final int STAGES = Stage.values().length;

    private long now = 1000;
    private final RunningStageClock clock = new RunningStageClock(() -> now);

    private StageTimes times() {
        return clock.times().orElseThrow();
    }

    @Test
    void timeBelongsToTheStageThatWasEnteredLast() {
        now += 5;
        clock.enter(Stage.SCHEDULE);
        now += 7;
        clock.enter(Stage.QKV);
        now += 11;
        clock.enter(Stage.SCHEDULE);
        now += 13;
        assertEquals(5, times().nanos(Stage.IDLE));
        assertEquals(20, times().nanos(Stage.SCHEDULE));
        assertEquals(11, times().nanos(Stage.QKV));
        assertEquals(36, times().totalNanos());
    }

    @Test
    void aStageThatHasNotEndedCountsUpToTheMoment() {
        clock.enter(Stage.ATTENTION);
        now += 3;
        assertEquals(3, times().nanos(Stage.ATTENTION));
        now += 4;
        assertEquals(7, times().nanos(Stage.ATTENTION));
    }

    @Test
    void anIterationsTimesAreOfItsKindWithWhatItTookToScheduleItAndIdlenessIsOfNone() {
        clock.enter(Stage.SCHEDULE);
        now += 1;
        clock.iteration(true);
        clock.enter(Stage.MLP);
        now += 10;
        clock.enter(Stage.IDLE);
        now += 100;
        clock.enter(Stage.SCHEDULE);
        now += 1000;
        clock.iteration(false);
        clock.enter(Stage.MLP);
        now += 10_000;
        StageTimes t = times();
        assertEquals(1, t.prefillNanos(Stage.SCHEDULE));
        assertEquals(10, t.prefillNanos(Stage.MLP));
        assertEquals(0, t.prefillNanos(Stage.IDLE));
        assertEquals(100, t.decodeNanos(Stage.IDLE));
        assertEquals(1000, t.decodeNanos(Stage.SCHEDULE));
        assertEquals(10_000, t.decodeNanos(Stage.MLP));
        assertEquals(1, t.prefillIterations());
        assertEquals(1, t.decodeIterations());
    }

    @Test
    void dividedTimeGoesToTheStagesThatAreKnownAndTheRestStays() {
        clock.enter(Stage.QUEUE);
        now += 100;
        long[] known = new long[STAGES];
        known[Stage.QKV.ordinal()] = 30;
        known[Stage.MLP.ordinal()] = 50;
        clock.divide(known, Stage.DELIVER);
        now += 1;
        assertEquals(30, times().nanos(Stage.QKV));
        assertEquals(50, times().nanos(Stage.MLP));
        assertEquals(20, times().nanos(Stage.QUEUE));
        assertEquals(1, times().nanos(Stage.DELIVER));
    }

    @Test
    void moreIsNeverDividedThanThereIs() {
        clock.enter(Stage.QUEUE);
        now += 100;
        long[] known = new long[STAGES];
        known[Stage.QKV.ordinal()] = 70;
        known[Stage.MLP.ordinal()] = 50;
        clock.divide(known, Stage.DELIVER);
        assertEquals(70, times().nanos(Stage.QKV));
        assertEquals(30, times().nanos(Stage.MLP));
        assertEquals(100, times().totalNanos());
    }

    @Test
    @Timeout(60)
    void aReaderAlwaysSeesTimesThatAddUpHoweverFastTheWriterIs() throws Exception {
        long seed = System.nanoTime();
        long before = System.nanoTime();
        var running = new RunningStageClock(System::nanoTime);
        long after = System.nanoTime();
        var stop = new AtomicBoolean();
        var writer =
                new Thread(
                        () -> {
                            var random = new Random(seed);
                            Stage[] stages = Stage.values();
                            while (!stop.get()) {
                                running.enter(stages[random.nextInt(stages.length)]);
                                if (random.nextInt(10) == 0)
                                    running.iteration(random.nextBoolean());
                            }
                        });
        writer.start();
        try {
            for (int i = 0; i < 20_000; i++) {
                long earliest = System.nanoTime() - after;
                long total = running.times().orElseThrow().totalNanos();
                long latest = System.nanoTime() - before;
                String told = "seed %d: %d to %d".formatted(seed, earliest, latest);
                assertTrue(earliest <= total && total <= latest, told + ", not " + total);
            }
        } finally {
            stop.set(true);
            writer.join();
        }
    }

    @Test
    void nothingIsAllocated() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var running = new RunningStageClock(System::nanoTime);
        long[] known = new long[STAGES];
        long fewest = Long.MAX_VALUE;
        for (int attempt = 0; attempt < 5; attempt++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                running.enter(Stage.QKV);
                running.iteration(true);
                running.divide(known, Stage.MLP);
            }
            fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
        }
        // The counter itself may move; an object a call would be 160,000 bytes at least.
        assertTrue(fewest < 10_000, fewest + " bytes");
    }
}
