package org.tokenrate.device.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;

/** A {@link Team}'s task that reads files, and may fail at it. */
final class ParallelReads {
    /** One item's work. */
    interface Read {
        void run(int item, int thread) throws IOException;
    }

    private ParallelReads() {}

    static void run(Team team, int items, Read read) throws IOException {
        Team.Task task =
                (item, thread) -> {
                    try {
                        read.run(item, thread);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                };
        try {
            team.run(task, items);
        } catch (UncheckedIOException e) { // from the caller itself, or from a worker
            throw e.getCause();
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof UncheckedIOException io) throw io.getCause();
            throw e;
        }
    }
}
