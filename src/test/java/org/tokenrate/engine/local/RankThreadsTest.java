package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RankThreadsTest {
    /** Longer than a rank looks out for a task before it sleeps. */
    private static final long SLEEP_MILLIS = 2;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void everyRankRunsEveryTaskOnceAlwaysOnTheSameThread(int ranks) throws Exception {
        int[] runs = new int[ranks]; // plain: run() must make what ranks wrote visible
        Thread[] threads = new Thread[ranks];
        try (RankThreads all = new RankThreads(ranks, () -> {})) {
            for (int i = 1; i <= 2000; i++) {
                all.run(
                        r -> {
                            runs[r]++;
                            if (threads[r] == null) threads[r] = Thread.currentThread();
                            assertSame(threads[r], Thread.currentThread());
                        });
                for (int r = 0; r < ranks; r++) assertEquals(i, runs[r], "rank " + r);
                if (i % 500 == 0) Thread.sleep(SLEEP_MILLIS);
            }
        }
        assertSame(Thread.currentThread(), threads[0]);
        for (int r = 1; r < ranks; r++) assertTrue(!threads[r].isAlive(), "rank " + r);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aTaskCostsItsCallerNoMemory(int ranks) throws IOException {
        var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int[] runs = new int[ranks];
        RankThreads.Task task = r -> runs[r]++;
        try (RankThreads all = new RankThreads(ranks, () -> {})) {
            for (int i = 0; i < 1000; i++) all.run(task);
            long before = bean.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) all.run(task);
            long allocated = bean.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < 10_000, allocated + " bytes for 10,000 tasks");
        }
    }

    @Test
    void ranksRunAtTheSameTime() throws IOException {
        CountDownLatch here = new CountDownLatch(4);
        try (RankThreads all = new RankThreads(4, () -> {})) {
            all.run(
                    r -> {
                        here.countDown();
                        try {
                            here.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    });
        }
        assertEquals(0, here.getCount());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void theFirstFailureIsThrownAfterAllHaveEndedAndTheOthersAreTold(int failing)
            throws IOException {
        CountDownLatch told = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        IOException cause = new IOException("on purpose");
        try (RankThreads all =
                new RankThreads(
                        4,
                        () -> {
                            calls.incrementAndGet();
                            told.countDown();
                        })) {
            RankThreads.Task task =
                    r -> {
                        if (r == failing) throw cause;
                        try {
                            told.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                        ended.incrementAndGet();
                        throw new IllegalStateException("another rank has failed");
                    };
            assertSame(cause, assertThrows(IOException.class, () -> all.run(task)));
            assertEquals(3, ended.get());
            assertEquals(1, calls.get());
            all.run(r -> ended.incrementAndGet());
            assertEquals(7, ended.get());
        }
    }

    @Test
    void whatTellsTheOthersMayFailToo() throws IOException {
        try (RankThreads all =
                new RankThreads(
                        2,
                        () -> {
                            throw new IllegalStateException("deaf");
                        })) {
            for (int failing = 0; failing < 2; failing++) {
                int rank = failing;
                var e =
                        assertThrows(
                                IOException.class,
                                () ->
                                        all.run(
                                                r -> {
                                                    if (r == rank) throw new IOException("first");
                                                }));
                assertEquals("first", e.getMessage());
                assertEquals("deaf", e.getSuppressed()[0].getMessage());
            }
        }
    }

    @Test
    void closedRanksRunNothing() {
        RankThreads all = new RankThreads(2, () -> {});
        all.close();
        all.close();
        assertThrows(IllegalStateException.class, () -> all.run(r -> {}));
    }
}
