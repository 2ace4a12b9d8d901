package org.tokenrate.run;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.tokenrate.workload.ProgressListener;

/** Prints how far a long workload has come: a line every few seconds, none for a short one. */
final class ProgressPrinter implements ProgressListener {
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintStream out;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;

    ProgressPrinter(PrintStream out) {
        this.out = out;
    }

    @Override
    public void onProgress(int ended, int failed, int total) {
        long now = System.nanoTime();
        if (now - lastNanos < INTERVAL_NANOS || ended == total) return;
        lastNanos = now;
        // One write: the parent's own output must not come between text and line end.
        out.print(
                String.format(
                        Locale.ROOT,
                        "      %,d of %,d requests after %d s%s%n",
                        ended,
                        total,
                        TimeUnit.NANOSECONDS.toSeconds(now - startNanos),
                        failed == 0 ? "" : String.format(Locale.ROOT, ", %,d failed", failed)));
        out.flush();
    }
}
