package org.tokenrate.device.cpu;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * Memory for weights, cut from large blocks and freed with them. Where the system has huge pages
 * for those who ask, blocks are made of them: the first touch of memory, which is most of what
 * loading costs, comes once in 2 MiB instead of once in 4 KiB, and what is cut from one block
 * wastes no part of a page. What is never touched takes no memory. Used by one thread.
 */
final class WeightMemory implements AutoCloseable {
    /** The huge page of x86-64, and of arm64 with pages of 4 KiB. */
    private static final long HUGE_PAGE = 2 << 20;

    private static final long MAX_BLOCK = 64 << 20;

    /** A cache line: where oneDNN's kernels want their weights to begin. */
    private static final long ALIGNMENT = 64;

    /** Linux's MADV_HUGEPAGE. */
    private static final int ADVISE_HUGE = 14;

    private final List<BytePointer> blocks = new ArrayList<>();
    private long blockBytes = HUGE_PAGE;
    private BytePointer block = new BytePointer();
    private long used;
    private long size;

    /** Memory that holds anything, until {@link #close}; never to be deallocated by itself. */
    BytePointer allocate(long bytes) {
        if (bytes > size - used) newBlock(bytes);
        BytePointer memory = block.getPointer(used);
        memory.limit(bytes);
        used = roundUp(used + bytes, ALIGNMENT);
        return memory;
    }

    private void newBlock(long atLeast) {
        size = Math.max(blockBytes, roundUp(atLeast, HUGE_PAGE));
        BytePointer memory = new BytePointer(size + HUGE_PAGE);
        blocks.add(memory);
        long start = roundUp(memory.address(), HUGE_PAGE);
        block = memory.getPointer(start - memory.address());
        used = 0;
        blockBytes = Math.min(MAX_BLOCK, 2 * blockBytes); // a small model needs no large block
        if (Platform.isLinux()) {
            // Advice: where it is not taken, pages are small.
            NativeLibrary.getInstance("c")
                    .getFunction("madvise")
                    .invokeInt(new Object[] {new Pointer(start), size, ADVISE_HUGE});
        }
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }

    @Override
    public void close() {
        blocks.forEach(BytePointer::deallocate);
        blocks.clear();
        size = 0;
        used = 0;
    }
}
