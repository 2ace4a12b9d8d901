package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files that a proper writer would not write. */
final class RawSafetensors {
    private RawSafetensors() {}

    /** Writes a header as it stands, its true length before it and zeros behind it. */
    static Path write(Path file, String header, int dataBytes) throws IOException {
        return write(file, header.getBytes(StandardCharsets.UTF_8).length, header, dataBytes);
    }

    /** Writes a header that claims to be {@code length} bytes long. */
    static Path write(Path file, long length, String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes =
                ByteBuffer.allocate(Long.BYTES + text.length + dataBytes)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(length)
                        .put(text);
        return Files.write(file, bytes.array());
    }

    /** A header's entry; everything but the name is JSON as it stands. */
    static String entry(String name, String dtype, String shape, String offsets) {
        return "\"%s\": {\"dtype\": %s, \"shape\": %s, \"data_offsets\": %s}"
                .formatted(name, dtype, shape, offsets);
    }
}
