package org.tokenrate.run;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.tokenrate.engine.LoadListener;

/** Prints how far a model's loading has come: at most a line a second, none for a short one. */
final class LoadProgressPrinter implements LoadListener {
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final double GB = 1e9;

    private final PrintStream out;
    private final String model;
    private final LongSupplier clock;
    private final long startNanos;
    private final AtomicLong nextNanos;

    /**
     * @param model its name, or the path that ends in it
     * @param clock in nanoseconds
     */
    LoadProgressPrinter(PrintStream out, String model, LongSupplier clock) {
        this.out = out;
        this.model = model.substring(model.replace('\\', '/').lastIndexOf('/') + 1);
        this.clock = clock;
        startNanos = clock.getAsLong();
        nextNanos = new AtomicLong(INTERVAL_NANOS);
    }

    @Override
    public void onLoaded(long loadedBytes, long totalBytes) {
        long elapsed = clock.getAsLong() - startNanos;
        long next = nextNanos.get();
        if (elapsed < next || !nextNanos.compareAndSet(next, elapsed + INTERVAL_NANOS)) return;
        double bytesPerSecond = loadedBytes / (elapsed / 1e9);
        // One write: the parent's own output must not come between text and line end.
        out.print(
                String.format(
                        Locale.ROOT,
                        "      loading %s: %s, %.1f GB/s%s%n",
                        model,
                        amount(loadedBytes, totalBytes),
                        bytesPerSecond / GB,
                        left(totalBytes - loadedBytes, bytesPerSecond)));
        out.flush();
    }

    private static String amount(long loaded, long total) {
        boolean large = Math.max(loaded, total) >= GB;
        String unit = large ? "%.1f GB" : "%.0f MB";
        double size = large ? GB : 1e6;
        return total <= 0
                ? String.format(Locale.ROOT, unit, loaded / size)
                : String.format(
                        Locale.ROOT,
                        unit.replace(" ", " of " + unit.substring(0, 4) + " "),
                        Math.min(loaded, total) / size,
                        total / size);
    }

    private static String left(long bytes, double bytesPerSecond) {
        if (bytes <= 0) return "";
        return String.format(Locale.ROOT, ", %.0f s left", Math.ceil(bytes / bytesPerSecond));
    }
}
