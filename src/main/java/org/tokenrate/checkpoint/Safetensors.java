package org.tokenrate.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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

    private final CheckpointFile file;
    private final Map<String, TensorData> tensors = new TreeMap<>();

    static Safetensors open(Path path) throws IOException {
        CheckpointFile file = CheckpointFile.open(path);
        try {
            return new Safetensors(file);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private Safetensors(CheckpointFile file) throws IOException {
        this.file = file;
        long size = file.size();
        if (size < 8) throw bad("is " + size + " bytes long, too short for a safetensors header");
        long headerBytes = file.read(0, 8).getLong();
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
                            StandardCharsets.UTF_8
                                    .decode(file.read(8, (int) headerBytes))
                                    .toString());
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
            tensors.put(
                    extent.name,
                    file.tensor(extent.name, extent.type, extent.shape, extent.offset));
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
        return file.path();
    }

    @Override
    public Map<String, TensorData> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    private CheckpointException bad(String problem) {
        return file.bad(problem);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /** A tensor's place in the file. */
    private record Extent(String name, DType type, long[] shape, long offset, long bytes) {}
}
