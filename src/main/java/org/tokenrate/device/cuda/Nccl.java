package org.tokenrate.device.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.checkpoint.DType;

/** A rank's communicator: NCCL among the devices of one process, a thread a rank. */
final class Nccl implements RankLink {
    private static final String FAILED = "another rank has failed";
    private static final Logger LOG = LoggerFactory.getLogger(Nccl.class);

    /**
     * A call that takes longer waits in NCCL for a rank that has failed, and only the abort ends
     * it.
     */
    private static final long PATIENCE_SECONDS = 1;

    private final ncclComm communicator;
    private final int rank;
    private final Group group;

    /** Held while NCCL is called: an abort frees the communicator. */
    private final ReentrantLock calls = new ReentrantLock();

    private volatile boolean aborted;
    private boolean closed;

    /** What the ranks know of each other. */
    private static final class Group {
        private final int[] widths;
        private int missing;
        private boolean aborted;

        Group(int ranks) {
            widths = new int[ranks];
            missing = ranks;
        }

        synchronized int[] widths(int rank, int own) {
            if (widths[rank] == 0) {
                widths[rank] = own;
                missing--;
                notifyAll();
            }
            try {
                while (missing > 0 && !aborted) wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for other ranks", e);
            }
            if (missing > 0) throw new IllegalStateException(FAILED);
            return widths;
        }

        synchronized void abort() {
            aborted = true;
            notifyAll();
        }
    }

    private Nccl(ncclComm communicator, int rank, Group group) {
        this.communicator = communicator;
        this.rank = rank;
        this.group = group;
    }

    /** One for each device, in their order. */
    static List<RankLink> links(List<Gpu> gpus) {
        CudaLibrary.NCCL.require();
        int ranks = gpus.size();
        int[] devices = gpus.stream().mapToInt(Gpu::ordinal).toArray();
        List<RankLink> links = new ArrayList<>();
        Group group = new Group(ranks);
        try (PointerPointer<ncclComm> all = new PointerPointer<>(ranks)) {
            Status.nccl(nccl.ncclCommInitAll(all, ranks, devices), "ncclCommInitAll");
            for (int r = 0; r < ranks; r++) {
                links.add(new Nccl(all.get(ncclComm.class, r), r, group));
            }
        }
        return links;
    }

    static String libraryVersion() {
        int[] version = new int[1];
        Status.nccl(nccl.ncclGetVersion(version), "ncclGetVersion");
        return "%d.%d.%d".formatted(version[0] / 10_000, version[0] / 100 % 100, version[0] % 100);
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int ranks() {
        return group.widths.length;
    }

    @Override
    public int[] widths(int own) {
        int[] widths = group.widths(rank, own);
        requireAlive();
        return widths;
    }

    @Override
    public void allReduce(GpuContext context, Pointer x, long count, DType type) {
        calls.lock();
        try {
            requireAlive();
            Status.nccl(
                    nccl.ncclAllReduce(
                            x,
                            x,
                            count,
                            type == DType.BF16 ? nccl.ncclBfloat16 : nccl.ncclFloat16,
                            nccl.ncclSum,
                            communicator,
                            context.stream()),
                    "ncclAllReduce");
        } finally {
            calls.unlock();
        }
    }

    @Override
    public void broadcast(GpuContext context, int from, Pointer x, long count) {
        Status.nccl(
                nccl.ncclBroadcast(
                        x, x, count, nccl.ncclFloat32, from, communicator, context.stream()),
                "ncclBroadcast");
    }

    @Override
    public void together(Runnable broadcasts) {
        calls.lock();
        try {
            requireAlive();
            Status.nccl(nccl.ncclGroupStart(), "ncclGroupStart");
            try {
                broadcasts.run();
            } finally {
                Status.nccl(nccl.ncclGroupEnd(), "ncclGroupEnd");
            }
        } finally {
            calls.unlock();
        }
    }

    @Override
    public synchronized void abort() {
        if (aborted || closed) return;
        aborted = true;
        group.abort();
        boolean held = awaitCall();
        try {
            told(nccl.ncclCommAbort(communicator), "ncclCommAbort"); // frees it too
        } finally {
            if (held) calls.unlock();
        }
    }

    private boolean awaitCall() {
        try {
            return calls.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void requireAlive() {
        if (aborted) throw new IllegalStateException(FAILED);
    }

    @Override
    public Optional<String> version() {
        return Optional.of(libraryVersion());
    }

    @Override
    public synchronized void close() {
        if (aborted || closed) return;
        closed = true;
        told(nccl.ncclCommDestroy(communicator), "ncclCommDestroy");
    }

    /** For calls that clean up after a failure, say, which may well fail too. */
    private static void told(int status, String call) {
        if (status != nccl.ncclSuccess) LOG.debug("{} failed: {}", call, status);
    }
}
