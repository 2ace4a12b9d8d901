package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A run of bytes in an open file. Large tensors are read, not mapped: the pages of a mapping are
 * faulted in one by one, count as the process's memory until it is unmapped, which Java 17 leaves
 * to the garbage collector, and kill the process if the file is cut short under it.
 *
 * @param file for errors
 * @param offset of the first byte
 */
record FileBytes(Path file, FileChannel channel, long offset) {
    /** Fills {@code into} with the bytes from {@code from} on; any number of threads at a time. */
    void read(long from, ByteBuffer into) throws IOException {
        long position = offset + from;
        while (into.hasRemaining()) {
            int count = channel.read(into, position);
            if (count < 0) {
                throw new CheckpointException(
                        file,
                        "ends at byte %d while it is read; was it replaced?".formatted(position));
            }
            position += count;
        }
    }

    /** A mapping of {@code length} bytes from {@code from} on, little-endian. */
    ByteBuffer map(long from, long length) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, offset + from, length)
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
