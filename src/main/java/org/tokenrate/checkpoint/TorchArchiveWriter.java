package org.tokenrate.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;

/**
 * Writes a state dict as {@code torch.save} does since torch 1.6, so that {@code torch.load} reads
 * it, with {@code weights_only} too: a zip archive of a pickle and one stored entry a tensor. The
 * values come in one pass, in the order in which the tensors were declared, and the same tensors
 * make the same bytes. Not thread-safe.
 *
 * <pre>{@code
 * var tensors = List.of(new Tensor("embed", BF16, 4096, 512), new Tensor("norm", F32, 512));
 * try (var writer = TorchArchiveWriter.create(file, tensors)) {
 *     writer.write(embed);
 *     writer.write(norm);
 * }
 * }</pre>
 */
public final class TorchArchiveWriter extends TensorWriter {
    private static final String PREFIX = "archive/";

    private final StoredZipWriter zip;
    private final List<Tensor> tensors;

    private TorchArchiveWriter(Path file, List<Tensor> tensors, StoredZipWriter zip) {
        super(file, tensors);
        this.tensors = List.copyOf(tensors);
        this.zip = zip;
    }

    /**
     * Starts a file, replacing one that is there.
     *
     * @throws IllegalArgumentException if two tensors share a name
     */
    public static TorchArchiveWriter create(Path file, List<Tensor> tensors) throws IOException {
        checkNames(tensors);
        StoredZipWriter zip = StoredZipWriter.create(file);
        try {
            zip.add(PREFIX + "data.pkl", pickle(tensors));
            zip.add(PREFIX + "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
            var writer = new TorchArchiveWriter(file, tensors, zip);
            writer.start();
            return writer;
        } catch (IOException e) {
            zip.close();
            throw e;
        }
    }

    @Override
    void begin(int index) throws IOException {
        zip.begin(PREFIX + "data/" + index, tensors.get(index).bytes());
    }

    @Override
    void put(byte[] bytes, int length) throws IOException {
        zip.write(bytes, length);
    }

    @Override
    void end(int index) throws IOException {
        zip.end();
    }

    /**
     * Ends the file.
     *
     * @throws IOException if values are missing, and names the first tensor that lacks them
     */
    @Override
    public void close() throws IOException {
        try (zip) {
            checkComplete();
            zip.add(PREFIX + "version", "3\n".getBytes(StandardCharsets.US_ASCII));
            zip.finish();
        }
    }

    /** An OrderedDict of tensors, each in a storage of its own, in protocol 2. */
    private static byte[] pickle(List<Tensor> tensors) {
        var pickle = new PickleWriter();
        pickle.op(0x80).op(2).global("collections", "OrderedDict").op(')').op('R').op('(');
        for (int i = 0; i < tensors.size(); i++) {
            Tensor tensor = tensors.get(i);
            pickle.string(tensor.name()).global("torch._utils", "_rebuild_tensor_v2").op('(');
            pickle.op('(').string("storage").global("torch", storage(tensor));
            pickle.string(Integer.toString(i)).string("cpu").integer(tensor.size()).op('t').op('Q');
            pickle.integer(0);
            pickle.op('(');
            for (long extent : tensor.shape()) pickle.integer(extent);
            pickle.op('t').op('(');
            for (long stride : strides(tensor.shape())) pickle.integer(stride);
            pickle.op('t').op(0x89).global("collections", "OrderedDict").op(')').op('R');
            pickle.op('t').op('R');
        }
        return pickle.op('u').op('.').bytes();
    }

    private static String storage(Tensor tensor) {
        return switch (tensor.type()) {
            case F32 -> "FloatStorage";
            case F16 -> "HalfStorage";
            case BF16 -> "BFloat16Storage";
            case I32 -> "IntStorage";
        };
    }

    private static long[] strides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    /** Opcodes and their arguments. */
    private static final class PickleWriter {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        PickleWriter op(int opcode) {
            out.write(opcode);
            return this;
        }

        PickleWriter global(String module, String name) {
            out.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
            return this;
        }

        PickleWriter string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            out.write('X');
            out.writeBytes(little(Integer.BYTES, utf8.length));
            out.writeBytes(utf8);
            return this;
        }

        PickleWriter integer(long value) {
            if (value == (int) value) {
                out.write('J');
                out.writeBytes(little(Integer.BYTES, value));
            } else {
                out.write(0x8a);
                out.write(Long.BYTES);
                out.writeBytes(little(Long.BYTES, value));
            }
            return this;
        }

        private static byte[] little(int bytes, long value) {
            ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            byte[] all = buffer.putLong(value).array();
            return Arrays.copyOf(all, bytes);
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
