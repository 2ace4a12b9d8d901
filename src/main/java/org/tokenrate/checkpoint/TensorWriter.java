package org.tokenrate.checkpoint;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;

/**
 * Writes the tensors of a file in one pass, row-major and little-endian, in the order in which they
 * were declared. Not thread-safe.
 */
public abstract class TensorWriter implements Closeable {
    static final int CHUNK_BYTES = 1 << 16;

    private final Path file;
    private final List<Tensor> tensors;
    private final ByteBuffer chunk =
            ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int current;
    private long written;

    TensorWriter(Path file, List<Tensor> tensors) {
        this.file = file;
        this.tensors = List.copyOf(tensors);
    }

    static void checkNames(List<Tensor> tensors) {
        Set<String> names = new HashSet<>();
        for (Tensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException(
                        "Two tensors are named " + tensor.name() + "; a name must be unique.");
            }
        }
    }

    /** Takes bytes of the current tensor. */
    abstract void put(byte[] bytes, int length) throws IOException;

    /** The next tensor's values are about to come, if it has any. */
    void begin(int index) throws IOException {}

    /** The tensor is full. */
    void end(int index) throws IOException {}

    /** To be called once, before the first value. */
    final void start() throws IOException {
        if (!tensors.isEmpty()) begin(0);
        passFullTensors();
    }

    /**
     * The next values of the tensor that is being written; a full tensor makes way for the next
     * one. A tensor may come in pieces, but a call's values belong to one tensor.
     *
     * @throws IllegalArgumentException if there are more values than the tensor has room for
     */
    public final void write(float[] values) throws IOException {
        if (!take(values.length, false)) return;
        Tensor tensor = tensors.get(current);
        for (float value : values) {
            if (chunk.remaining() < Float.BYTES) {
                flushChunk();
            }
            switch (tensor.type()) {
                case F32 -> chunk.putFloat(value);
                case F16 -> chunk.putShort(SafetensorsWriter.toF16(value));
                case BF16 -> chunk.putShort(SafetensorsWriter.toBf16(value));
                case I32 -> throw new IllegalStateException("checked in take()");
            }
        }
        taken(values.length);
    }

    /**
     * The same for a tensor of integers.
     *
     * @throws IllegalArgumentException if there are more values than the tensor has room for, or
     *     the tensor is not of integers
     */
    public final void write(int[] values) throws IOException {
        if (!take(values.length, true)) return;
        for (int value : values) {
            if (chunk.remaining() < Integer.BYTES) {
                flushChunk();
            }
            chunk.putInt(value);
        }
        taken(values.length);
    }

    /** Checks that the current tensor takes so many values; false if none are left to come. */
    private boolean take(int count, boolean integers) {
        if (current == tensors.size()) {
            if (count == 0) {
                return false;
            }
            throw new IllegalArgumentException(
                    "%d values come after the last of %d tensors in %s."
                            .formatted(count, tensors.size(), file));
        }
        Tensor tensor = tensors.get(current);
        if ((tensor.type() == SafetensorsWriter.Type.I32) != integers) {
            throw new IllegalArgumentException(
                    "Tensor %s is of type %s; %s do not fit."
                            .formatted(
                                    tensor.name(),
                                    tensor.type(),
                                    integers ? "integers" : "floats"));
        }
        if (count > tensor.size() - written) {
            throw new IllegalArgumentException(
                    "%d values after %d do not fit tensor %s of shape %s (%d values)."
                            .formatted(
                                    count,
                                    written,
                                    tensor.name(),
                                    Arrays.toString(tensor.shape()),
                                    tensor.size()));
        }
        return true;
    }

    private void taken(int count) throws IOException {
        flushChunk();
        written += count;
        passFullTensors();
    }

    private void passFullTensors() throws IOException {
        while (current < tensors.size() && written == tensors.get(current).size()) {
            end(current);
            current++;
            written = 0;
            if (current < tensors.size()) begin(current);
        }
    }

    private void flushChunk() throws IOException {
        put(chunk.array(), chunk.position());
        chunk.clear();
    }

    /**
     * @throws IOException if values are missing, and names the first tensor that lacks them
     */
    final void checkComplete() throws IOException {
        if (current < tensors.size()) {
            throw new IOException(
                    "%s is incomplete: tensor %s has %d of %d values."
                            .formatted(
                                    file,
                                    tensors.get(current).name(),
                                    written,
                                    tensors.get(current).size()));
        }
    }
}
