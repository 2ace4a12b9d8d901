package org.tokenrate.interleave;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** The programs that this one starts, one at a time; none outlives it. */
final class Children {
    /** For a run to write down that it was interrupted. */
    private static final long GRACE_SECONDS = 10;

    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private final AtomicReference<Process> running = new AtomicReference<>();
    private volatile boolean stopped;

    /**
     * Runs a program to its end.
     *
     * @param log gets what it prints
     * @return its exit status
     * @throws IOException if it cannot be started
     */
    int run(List<String> command, Path folder, Path log) throws IOException {
        try {
            check();
            Process process;
            synchronized (this) {
                process =
                        new ProcessBuilder(command)
                                .directory(folder.toFile())
                                .redirectErrorStream(true)
                                .redirectOutput(log.toFile())
                                .start();
                running.set(process);
            }
            process.getOutputStream().close();
            int status = process.waitFor();
            check();
            running.set(null);
            return status;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.get(0) + " ran", e);
        }
    }

    /** Holds the thread forever, once the program is to end. */
    private void check() throws InterruptedException {
        if (stopped) NEVER.await();
    }

    /** Ends what runs, its own children too, and lets nothing more begin. */
    void stop() {
        synchronized (this) {
            stopped = true;
        }
        Optional.ofNullable(running.get()).ifPresent(Children::end);
    }

    private static void end(Process process) {
        List<ProcessHandle> all = process.descendants().toList();
        process.destroy();
        try {
            process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        all.forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
