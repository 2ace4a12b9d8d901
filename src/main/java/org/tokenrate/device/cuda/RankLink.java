package org.tokenrate.device.cuda;

import java.util.Optional;
import org.bytedeco.javacpp.Pointer;

/** A rank's side of what joins the ranks. */
interface RankLink extends AutoCloseable {
    /** The only rank there is. */
    RankLink ALONE =
            new RankLink() {
                @Override
                public void allReduce(GpuContext context, Pointer x, long count) {}

                @Override
                public void abort() {}

                @Override
                public void requireAlive() {}

                @Override
                public Optional<String> version() {
                    return Optional.empty();
                }

                @Override
                public void close() {}
            };

    /** Queues the sum of {@code count} floats over the ranks, in place. */
    void allReduce(GpuContext context, Pointer x, long count);

    /** Ends what waits for other ranks. From any thread. */
    void abort();

    /**
     * @throws IllegalStateException after {@link #abort}: what was computed since is worth nothing
     */
    void requireAlive();

    /** NCCL's version, where there is more than one rank. */
    Optional<String> version();

    @Override
    void close();
}
