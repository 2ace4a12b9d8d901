package org.tokenrate.device.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;

/**
 * Brings weights to the device through two pinned buffers: threads fill one while the other is
 * copied. Its memory goes when all is loaded.
 */
final class Upload implements AutoCloseable {
    /** A buffer: long enough for the bus, short enough to be forgotten. */
    private static final int BUFFER_BYTES = 16 << 20;

    private static final int BUFFERS = 2;

    /** What a thread fills at a time. */
    static final int PIECE_BYTES = 256 << 10;

    private final GpuContext context;
    private final DeviceMemory memory;
    private final List<Buffer> buffers = new ArrayList<>();
    private int next;

    private record Buffer(BytePointer pinned, ByteBuffer bytes, CUevent_st copied) {}

    /** Fills {@code into} with what belongs {@code from} bytes after the start. */
    interface Source {
        void fill(long from, ByteBuffer into) throws IOException;
    }

    Upload(GpuContext context, DeviceMemory memory) {
        this.context = context;
        this.memory = memory;
        try {
            for (int i = 0; i < BUFFERS; i++) buffers.add(newBuffer());
        } catch (CudaException e) {
            close();
            throw e;
        }
    }

    private Buffer newBuffer() {
        BytePointer pinned = memory.allocateHost(BUFFER_BYTES, "loading weights");
        CUevent_st copied = new CUevent_st();
        Status.driver(
                cudart.cuEventCreate(copied, cudart.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        return new Buffer(pinned, pinned.asByteBuffer(), copied);
    }

    /**
     * Copies so many bytes to an address of the device; in order, but not done when this returns.
     *
     * @param source is called by several threads at a time, for pieces of {@link #PIECE_BYTES} from
     *     the start on
     */
    void copy(Source source, long to, long bytes) throws IOException {
        for (long done = 0; done < bytes; done += BUFFER_BYTES) {
            int count = (int) Math.min(BUFFER_BYTES, bytes - done);
            Buffer buffer = buffers.get(next);
            next = (next + 1) % BUFFERS;
            Status.driver(cudart.cuEventSynchronize(buffer.copied), "cuEventSynchronize");
            fill(source, done, buffer.bytes, count);
            Status.driver(
                    cudart.cuMemcpyHtoDAsync(to + done, buffer.pinned, count, context.stream()),
                    "cuMemcpyHtoDAsync of weights");
            Status.driver(cudart.cuEventRecord(buffer.copied, context.stream()), "cuEventRecord");
        }
    }

    private static void fill(Source source, long start, ByteBuffer bytes, int count)
            throws IOException {
        int pieces = (count + PIECE_BYTES - 1) / PIECE_BYTES;
        try {
            IntStream.range(0, pieces)
                    .parallel()
                    .forEach(
                            i -> {
                                int from = i * PIECE_BYTES;
                                int length = Math.min(PIECE_BYTES, count - from);
                                try {
                                    source.fill(start + from, bytes.slice(from, length));
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public void close() {
        for (Buffer b : buffers) {
            GpuContext.warn(cudart.cuEventSynchronize(b.copied), "cuEventSynchronize");
            GpuContext.warn(cudart.cuEventDestroy(b.copied), "cuEventDestroy");
            memory.freeHost(b.pinned);
        }
    }
}
