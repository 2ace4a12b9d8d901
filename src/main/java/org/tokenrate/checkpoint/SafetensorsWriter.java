package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Writes a safetensors file in one pass: an 8-byte little-endian header length, the JSON header,
 * then every tensor's values, row-major and little-endian, in the order in which they were
 * declared. The header is padded with spaces so that the values start at a multiple of 8.
 *
 * <p>The format is described at https://huggingface.co/docs/safetensors. Not thread-safe.
 *
 * <pre>{@code
 * var tensors = List.of(new Tensor("embed", BF16, 4096, 512), new Tensor("norm", F32, 512));
 * try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
 *     writer.write(embed);
 *     writer.write(norm);
 * }
 * }</pre>
 */
public final class SafetensorsWriter extends TensorWriter {

    /** How a value is stored. Floats are rounded to the nearest, ties to even. */
    public enum Type {
        F32(4),
        F16(2),
        BF16(2),
        /** Packed integers, bit for bit. */
        I32(4);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    /**
     * A tensor to come.
     *
     * @param shape rows first, as in the checkpoint: a projection is [out, in]; empty for a scalar
     */
    public record Tensor(String name, Type type, long... shape) {
        /** Values in the tensor: the product of its shape. */
        public long size() {
            long size = 1;
            for (long extent : shape) {
                size = Math.multiplyExact(size, extent);
            }
            return size;
        }

        long bytes() {
            return Math.multiplyExact(size(), type.bytes);
        }
    }

    private final OutputStream out;

    private SafetensorsWriter(Path file, List<Tensor> tensors, OutputStream out) {
        super(file, tensors);
        this.out = out;
    }

    /**
     * Starts a file, replacing one that is there.
     *
     * @param metadata the header's {@code __metadata__}; empty for none
     * @throws IllegalArgumentException if two tensors share a name
     */
    public static SafetensorsWriter create(
            Path file, List<Tensor> tensors, Map<String, String> metadata) throws IOException {
        checkNames(tensors);
        byte[] header = header(tensors, metadata);
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), CHUNK_BYTES);
        var writer = new SafetensorsWriter(file, tensors, out);
        try {
            out.write(
                    ByteBuffer.allocate(Long.BYTES)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(header.length)
                            .array());
            out.write(header);
            writer.start();
        } catch (IOException e) {
            out.close();
            throw e;
        }
        return writer;
    }

    private static byte[] header(List<Tensor> tensors, Map<String, String> metadata)
            throws IOException {
        var json = new ObjectMapper();
        ObjectNode root = json.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        long offset = 0;
        for (Tensor tensor : tensors) {
            ObjectNode node = root.putObject(tensor.name());
            node.put("dtype", tensor.type().name());
            ArrayNode shape = node.putArray("shape");
            Arrays.stream(tensor.shape()).forEach(shape::add);
            long end = Math.addExact(offset, tensor.bytes());
            node.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] text = json.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        return padded;
    }

    @Override
    void put(byte[] bytes, int length) throws IOException {
        out.write(bytes, 0, length);
    }

    /**
     * Ends the file.
     *
     * @throws IOException if values are missing, and names the first tensor that lacks them
     */
    @Override
    public void close() throws IOException {
        out.close();
        checkComplete();
    }

    /** The nearest bfloat16, ties to even. */
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /** IEEE 754 binary16; what is too large becomes infinity. Float.floatToFloat16 is Java 20's. */
    public static short toF16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7FFF_FFFF;
        if (magnitude > 0x7F80_0000) {
            return (short) (sign | 0x7E00);
        }
        if (magnitude >= 0x4780_0000) {
            return (short) (sign | 0x7C00);
        }
        if (magnitude < 0x3880_0000) { // below 2^-14: halves are then multiples of 2^-24
            return (short) (sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24f));
        }
        int rounded = magnitude + 0xFFF + (magnitude >>> 13 & 1);
        return (short) (sign | rounded - (112 << 23) >>> 13);
    }
}
