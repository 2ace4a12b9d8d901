package org.tokenrate.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.tokenrate.run.RunRecord;

/**
 * What happens at SIGINT or SIGTERM: no fork outlives its run, no further one begins, and the files
 * say that the run was interrupted. JMH leaves all of that to whoever reads of it.
 */
final class Stop {
    /** For a fork to end by itself before it is made to. */
    private static final long GRACE_MILLIS = 2000;

    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private volatile boolean stopping;

    /** Holds the thread forever, once the program is to end. */
    void check() {
        while (stopping) {
            try {
                NEVER.await();
            } catch (InterruptedException e) {
                // The program is about to end; nothing else is of interest.
            }
        }
    }

    void install(RunFiles files) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(files)));
    }

    private void stop(RunFiles files) {
        if (!files.running()) return;
        stopping = true;
        endForks();
        try {
            files.end(RunRecord.INTERRUPTED, "interrupted");
            System.err.printf(
                    "%ninterrupted; what %d finished combination(s) gave is in %s; --resume %s"
                            + " measures the rest%n",
                    files.measured(), files.folder(), files.folder());
        } catch (IOException e) {
            System.err.println("ERROR: " + e.getMessage());
        }
    }

    private static void endForks() {
        long start = System.nanoTime();
        for (List<ProcessHandle> forks = forks(); !forks.isEmpty(); forks = forks()) {
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            if (millis < GRACE_MILLIS) forks.forEach(ProcessHandle::destroy);
            else forks.forEach(ProcessHandle::destroyForcibly);
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static List<ProcessHandle> forks() {
        return ProcessHandle.current().descendants().filter(ProcessHandle::isAlive).toList();
    }
}
