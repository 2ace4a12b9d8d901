package org.tokenrate.gguf;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes a GGUF file of version 3 in one pass: the counts, the metadata, a line for each tensor,
 * then every tensor's elements in the order in which they were declared, each from a multiple of 32
 * bytes on. Everything is little-endian; a tensor's extents stand in the file innermost first.
 *
 * <p>The format is described at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Not
 * thread-safe.
 */
public final class GgufWriter implements Closeable {
    private static final int VERSION = 3;

    /** The format's default, in bytes; another would need {@code general.alignment}. */
    private static final int ALIGNMENT = 32;

    private final Path file;
    private final List<GgufTensor> tensors;
    private final FileChannel out;
    private int current;
    private long written;

    private GgufWriter(Path file, List<GgufTensor> tensors, FileChannel out) {
        this.file = file;
        this.tensors = tensors;
        this.out = out;
    }

    /**
     * Starts a file, replacing one that is there.
     *
     * @throws IllegalArgumentException if two tensors share a name
     */
    public static GgufWriter create(Path file, GgufMetadata metadata, List<GgufTensor> tensors)
            throws IOException {
        byte[] header = header(metadata, tensors);
        FileChannel out =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
        GgufWriter writer = new GgufWriter(file, List.copyOf(tensors), out);
        try {
            writer.writeAll(ByteBuffer.wrap(header));
            writer.pad(header.length);
        } catch (IOException e) {
            out.close();
            throw e;
        }
        return writer;
    }

    private static byte[] header(GgufMetadata metadata, List<GgufTensor> tensors) {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        head.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        GgufMetadata.int32(head, VERSION);
        GgufMetadata.int64(head, tensors.size());
        GgufMetadata.int64(head, metadata.count());
        head.writeBytes(metadata.bytes());
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (GgufTensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors are named " + tensor.name());
            }
            GgufMetadata.string(head, tensor.name());
            GgufMetadata.int32(head, tensor.shape().length);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                GgufMetadata.int64(head, tensor.shape()[i]);
            }
            GgufMetadata.int32(head, tensor.type().code);
            GgufMetadata.int64(head, offset);
            offset = aligned(offset + tensor.bytes());
        }
        return head.toByteArray();
    }

    /**
     * The next elements of the tensor that is being written, as its type stores them; a full tensor
     * makes way for the next one. A tensor may come in pieces, but a call's elements belong to one.
     *
     * @throws IllegalArgumentException if there are more bytes than the tensor has room for
     */
    public void write(ByteBuffer elements) throws IOException {
        int bytes = elements.remaining();
        if (current == tensors.size()) {
            throw new IllegalArgumentException(
                    "%d bytes come after the last of %d tensors in %s"
                            .formatted(bytes, tensors.size(), file));
        }
        GgufTensor tensor = tensors.get(current);
        if (bytes > tensor.bytes() - written) {
            throw new IllegalArgumentException(
                    "%d bytes after %d do not fit tensor %s of %d"
                            .formatted(bytes, written, tensor.name(), tensor.bytes()));
        }
        writeAll(elements);
        written += bytes;
        if (written == tensor.bytes()) {
            pad(written);
            current++;
            written = 0;
        }
    }

    private static long aligned(long offset) {
        return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private void pad(long position) throws IOException {
        writeAll(ByteBuffer.allocate((int) (aligned(position) - position)));
    }

    private void writeAll(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) out.write(bytes);
    }

    /**
     * Ends the file.
     *
     * @throws IOException if elements are missing, and names the first tensor that lacks them
     */
    @Override
    public void close() throws IOException {
        out.close();
        if (current < tensors.size()) {
            GgufTensor tensor = tensors.get(current);
            throw new IOException(
                    "%s is incomplete: tensor %s has %d of %d bytes"
                            .formatted(file, tensor.name(), written, tensor.bytes()));
        }
    }
}
