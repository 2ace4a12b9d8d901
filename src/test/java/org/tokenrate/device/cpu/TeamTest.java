package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TeamTest {
    /** Longer than a worker looks out for a task before it sleeps. */
    private static final long SLEEP_MILLIS = 2;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void everyItemRunsExactlyOnce(int threads) throws InterruptedException {
        try (Team team = new Team(threads)) {
            assertEquals(threads, team.threads());
            for (int items = 0; items <= 1000; items += items < 40 ? 1 : 37) {
                runOnce(team, items);
                if (items % 5 == 0) Thread.sleep(SLEEP_MILLIS);
            }
        }
    }

    private static void runOnce(Team team, int items) {
        AtomicIntegerArray runs = new AtomicIntegerArray(items);
        Set<Integer> strangers = ConcurrentHashMap.newKeySet();
        team.run(
                (item, thread) -> {
                    runs.incrementAndGet(item);
                    if (thread < 0 || thread >= team.threads()) strangers.add(thread);
                },
                items);
        for (int i = 0; i < items; i++) assertEquals(1, runs.get(i), i + " of " + items);
        assertEquals(Set.of(), strangers);
    }

    @Test
    void noTwoItemsRunOnTheSameThreadAtOnce() {
        int threads = 4;
        AtomicIntegerArray inside = new AtomicIntegerArray(threads);
        AtomicInteger clashes = new AtomicInteger();
        try (Team team = new Team(threads)) {
            team.run(
                    (item, thread) -> {
                        if (inside.incrementAndGet(thread) != 1) clashes.incrementAndGet();
                        Thread.yield();
                        inside.decrementAndGet(thread);
                    },
                    1000);
        }
        assertEquals(0, clashes.get());
    }

    @ParameterizedTest
    @CsvSource({
        "1, 10, 0",
        "1, 10, 9",
        "2, 1, 0",
        "2, 10, 0",
        "2, 10, 1",
        "4, 100, 50",
        "4, 100, 99"
    })
    void anExceptionReachesTheCallerAndTheTeamWorksOn(int threads, int items, int failing) {
        try (Team team = new Team(threads)) {
            RuntimeException cause = new IllegalArgumentException("no such item");
            for (int round = 0; round < 20; round++) {
                var thrown =
                        assertThrows(
                                RuntimeException.class,
                                () ->
                                        team.run(
                                                (item, thread) -> {
                                                    if (item == failing) throw cause;
                                                },
                                                items));
                assertEquals("no such item", thrown.getMessage());
                assertTrue(thrown == cause || thrown.getCause() == cause, "the cause is kept");
                runOnce(team, items);
            }
        }
    }

    @Test
    void anErrorOfAWorkerReachesTheCaller() {
        Error cause = new StackOverflowError();
        try (Team team = new Team(3)) {
            var thrown =
                    assertThrows(
                            IllegalStateException.class,
                            () ->
                                    team.run(
                                            (item, thread) -> {
                                                throw cause;
                                            },
                                            30));
            assertSame(cause, thrown.getCause());
            runOnce(team, 30);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void closingTwiceIsFineAndEndsTheThreads(int threads) throws InterruptedException {
        Set<Thread> members = ConcurrentHashMap.newKeySet();
        Team team = new Team(threads);
        team.run((item, thread) -> members.add(Thread.currentThread()), 1000);
        team.close();
        team.close();
        for (Thread member : members) {
            assertTrue(member == Thread.currentThread() || !member.isAlive(), member.getName());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aClosedTeamRefusesWorkInsteadOfWaitingForIt(int threads) {
        Team team = new Team(threads);
        team.close();
        var thrown =
                assertThrows(IllegalStateException.class, () -> team.run((item, thread) -> {}, 10));
        assertEquals("the device is closed", thrown.getMessage());
    }
}
