package org.tokenrate.checkpoint;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** An open file of weights, and the one place that says what is wrong with it. */
final class CheckpointFile implements Closeable {
    private final Path path;
    private final FileChannel channel;
    private final long size;

    /**
     * @throws CheckpointException if there is no such file or it cannot be read
     */
    static CheckpointFile open(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(
                    path, Files.exists(path) ? "is not a file" : "is missing");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new CheckpointException(path, "cannot be read (" + reason(e) + ")");
        }
        try {
            return new CheckpointFile(path, channel, channel.size());
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName().replace("Exception", "");
    }

    private CheckpointFile(Path path, FileChannel channel, long size) {
        this.path = path;
        this.channel = channel;
        this.size = size;
    }

    Path path() {
        return path;
    }

    /** Its bytes when it was opened. */
    long size() {
        return size;
    }

    /** A copy of some bytes, little-endian. The caller has made sure that they are not too many. */
    ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) throw bad("ends early");
        }
        return buffer.flip();
    }

    /**
     * The tensor whose elements start at a byte of this file and, as the caller has checked, fit.
     */
    TensorData tensor(String name, DType type, long[] shape, long offset) {
        return new Extent(name, type, shape, offset);
    }

    CheckpointException bad(String problem) {
        return new CheckpointException(path, problem);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** A tensor's place in the file. */
    private final class Extent implements TensorData {
        private final String name;
        private final DType type;
        private final long[] shape;
        private final FileBytes content;

        Extent(String name, DType type, long[] shape, long offset) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            content = new FileBytes(path, channel, offset);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public DType type() {
            return type;
        }

        @Override
        public long[] shape() {
            return shape.clone();
        }

        @Override
        public ByteBuffer rows(long from, long to) throws IOException {
            if (from < 0 || to < from || to > rowCount()) {
                throw new IndexOutOfBoundsException(
                        "rows " + from + " to " + to + " of " + rowCount());
            }
            long rowBytes = rowLength() * type.bytes();
            return content.map(from * rowBytes, (to - from) * rowBytes);
        }

        @Override
        public void read(long first, ByteBuffer into) throws IOException {
            long from = first * type.bytes();
            long bytes = rowCount() * rowLength() * type.bytes();
            if (first < 0 || into.remaining() > bytes - from) {
                throw new IndexOutOfBoundsException(
                        into.remaining() + " bytes from element " + first + " of " + name);
            }
            content.read(from, into);
        }
    }
}
