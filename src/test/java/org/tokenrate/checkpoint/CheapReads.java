package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** Reading files that may hold anything: they read or are refused, and cheaply. */
final class CheapReads {
    /** Heap that reading a small file may take, whatever the file claims. */
    private static final long MAX_ALLOCATED_BYTES = 4 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private CheapReads() {}

    interface Opener {
        TensorFile open(Path file) throws IOException;
    }

    /** Whether the file reads; if not, the message must begin with its name. */
    static boolean reads(Path file, Opener opener) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        boolean reads = readsAll(file, opener);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < MAX_ALLOCATED_BYTES, () -> allocated + " bytes allocated");
        return reads;
    }

    private static boolean readsAll(Path file, Opener opener) throws IOException {
        try (TensorFile tensors = opener.open(file)) {
            for (TensorData tensor : tensors.tensors().values()) {
                assertEquals(
                        tensor.rowCount() * tensor.rowLength() * tensor.type().bytes(),
                        tensor.rows(0, tensor.rowCount()).remaining());
            }
            return true;
        } catch (CheckpointException e) {
            assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
            return false;
        }
    }
}
