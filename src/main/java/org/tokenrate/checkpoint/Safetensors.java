package org.tokenrate.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A safetensors file: eight bytes of header length (little-endian), a JSON header that maps each
 * tensor's name to its type, shape and byte range, then the tensors.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
final class Safetensors implements TensorFile {
    /** The format's own limit on the header. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    /** Of a broken header, a message quotes no more than this many characters. */
    private static final int QUOTED = 80;

    private final Path file;
    private final FileChannel channel;
    private final Map<String, TensorData> tensors = new TreeMap<>();

    static Safetensors open(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    file, Files.exists(file) ? "is not a file" : "is missing");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new CheckpointException(file, "cannot be read (" + reason(e) + ")");
        }
        try {
            return new Safetensors(file, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName().replace("Exception", "");
    }

    private Safetensors(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        long size = channel.size();
        if (size < 8) throw bad("is " + size + " bytes long, too short for a safetensors header");
        long headerBytes = read(0, 8).getLong();
        if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) {
            throw bad(
                    "claims a header of %s bytes, but the file has %d and the format allows %d"
                            .formatted(
                                    Long.toUnsignedString(headerBytes),
                                    size - 8,
                                    MAX_HEADER_BYTES));
        }
        JsonNode header;
        try {
            header =
                    JSON.readTree(
                            StandardCharsets.UTF_8.decode(read(8, (int) headerBytes)).toString());
        } catch (JsonProcessingException e) {
            throw bad("has a broken header: " + e.getOriginalMessage());
        }
        if (!header.isObject()) throw bad("has a header that is not a JSON object");
        long dataStart = 8 + headerBytes;
        long dataBytes = size - dataStart;
        List<Extent> extents = new ArrayList<>();
        for (var field : header.properties()) {
            if (field.getKey().equals("__metadata__")) continue;
            Extent extent = extent(field.getKey(), field.getValue(), dataStart, dataBytes);
            extents.add(extent);
            tensors.put(extent.name, extent);
        }
        checkNoOverlap(extents);
    }

    private Extent extent(String name, JsonNode entry, long dataStart, long dataBytes)
            throws CheckpointException {
        DType type;
        try {
            type = DType.valueOf(entry.path("dtype").asText());
        } catch (IllegalArgumentException e) {
            throw bad(
                    "tensor %s has dtype %s; known are F32, F16, BF16 and I32"
                            .formatted(name, quote(entry.path("dtype"))));
        }
        JsonNode offsets = entry.path("data_offsets");
        long begin = whole(offsets.path(0));
        long end = whole(offsets.path(1));
        if (!offsets.isArray() || offsets.size() != 2 || begin < 0 || end < begin) {
            throw bad("tensor " + name + " has impossible offsets " + quote(offsets));
        }
        if (end > dataBytes) {
            throw bad(
                    "tensor %s ends at byte %d of the data, but the file holds %d: truncated?"
                            .formatted(name, end, dataBytes));
        }
        JsonNode shapeNode = entry.path("shape");
        if (!shapeNode.isArray() || shapeNode.isEmpty() || shapeNode.size() > 2) {
            throw bad(
                    "tensor %s has shape %s; one or two dimensions fit"
                            .formatted(name, quote(shapeNode)));
        }
        long[] shape = new long[shapeNode.size()];
        long bytes = type.bytes();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = whole(shapeNode.get(i));
            if (shape[i] < 1 || shape[i] > dataBytes / bytes) {
                throw bad(
                        "tensor %s has shape %s of %s, but the file holds %d bytes of data"
                                .formatted(name, quote(shapeNode), type, dataBytes));
            }
            bytes *= shape[i];
        }
        if (end - begin != bytes) {
            throw bad(
                    "tensor %s of shape %s and type %s takes %d bytes, but its offsets span %d"
                            .formatted(name, shapeNode, type, bytes, end - begin));
        }
        return new Extent(name, type, shape, dataStart + begin, bytes);
    }

    /** A whole number as it stands; -1 for anything else, a fraction or text among them. */
    private static long whole(JsonNode node) {
        return node.isIntegralNumber() && node.canConvertToLong() ? node.longValue() : -1;
    }

    private static String quote(JsonNode node) {
        if (node.isMissingNode()) return "(none)";
        String text = node.toString();
        return text.length() <= QUOTED ? text : text.substring(0, QUOTED) + "...";
    }

    private void checkNoOverlap(List<Extent> extents) throws CheckpointException {
        extents.sort(Comparator.comparingLong(e -> e.offset));
        for (int i = 1; i < extents.size(); i++) {
            Extent before = extents.get(i - 1);
            if (before.offset + before.bytes > extents.get(i).offset) {
                throw bad("tensors " + before.name + " and " + extents.get(i).name + " overlap");
            }
        }
    }

    @Override
    public Path path() {
        return file;
    }

    @Override
    public Map<String, TensorData> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    private ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) throw bad("ends early");
        }
        return buffer.flip();
    }

    private CheckpointException bad(String problem) {
        return new CheckpointException(file, problem);
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
        private final long offset;
        private final long bytes;
        private final FileBytes content;

        Extent(String name, DType type, long[] shape, long offset, long bytes) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            this.offset = offset;
            this.bytes = bytes;
            content = new FileBytes(file, channel, offset);
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
            if (first < 0 || into.remaining() > bytes - from) {
                throw new IndexOutOfBoundsException(
                        into.remaining() + " bytes from element " + first + " of " + name);
            }
            content.read(from, into);
        }
    }
}
