package org.tokenrate.device.cuda;

import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.tokenrate.checkpoint.DType;

/** A rank's side of what joins the ranks. Nothing of it waits on the host. */
interface RankLink extends AutoCloseable {
    /** The only rank there is. */
    RankLink ALONE =
            new RankLink() {
                @Override
                public int rank() {
                    return 0;
                }

                @Override
                public int ranks() {
                    return 1;
                }

                @Override
                public void allReduce(GpuContext context, Pointer x, long count, DType type) {}

                @Override
                public void broadcast(GpuContext context, int from, Pointer x, long count) {}

                @Override
                public void together(Runnable calls) {
                    calls.run();
                }

                @Override
                public int[] widths(int own) {
                    return new int[] {own};
                }

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

    int rank();

    int ranks();

    /**
     * Queues the sum of {@code count} numbers over the ranks, in place, the same bits for all.
     *
     * @param type F16 or BF16
     */
    void allReduce(GpuContext context, Pointer x, long count, DType type);

    /**
     * Queues bringing {@code count} floats of a rank to all others, where {@code x} is their place.
     */
    void broadcast(GpuContext context, int from, Pointer x, long count);

    /** Makes these broadcasts one operation. */
    void together(Runnable calls);

    /**
     * How wide each rank's part of the logits is. The first call waits for the other ranks'.
     *
     * @param own this rank's
     */
    int[] widths(int own);

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
