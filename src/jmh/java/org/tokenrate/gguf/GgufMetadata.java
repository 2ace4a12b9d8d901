package org.tokenrate.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The typed key-value pairs at the head of a GGUF file, in the order in which they are put. */
public final class GgufMetadata {
    private static final int UINT32 = 4;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Set<String> keys = new HashSet<>();

    public GgufMetadata put(String key, String value) {
        key(key, STRING);
        string(out, value);
        return this;
    }

    /** An unsigned 32-bit number. */
    public GgufMetadata put(String key, int value) {
        if (value < 0) throw new IllegalArgumentException(key + "=" + value + " is below 0");
        key(key, UINT32);
        int32(out, value);
        return this;
    }

    public GgufMetadata put(String key, float value) {
        key(key, FLOAT32);
        int32(out, Float.floatToRawIntBits(value));
        return this;
    }

    public GgufMetadata put(String key, boolean value) {
        key(key, BOOL);
        out.write(value ? 1 : 0);
        return this;
    }

    public GgufMetadata put(String key, List<String> values) {
        key(key, ARRAY);
        int32(out, STRING);
        int64(out, values.size());
        for (String value : values) string(out, value);
        return this;
    }

    int count() {
        return keys.size();
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    private void key(String key, int type) {
        if (!keys.add(key)) throw new IllegalArgumentException(key + " is put twice");
        string(out, key);
        int32(out, type);
    }

    static void string(ByteArrayOutputStream out, String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        int64(out, utf8.length);
        out.writeBytes(utf8);
    }

    static void int32(ByteArrayOutputStream out, int value) {
        out.writeBytes(little(Integer.BYTES).putInt(value).array());
    }

    static void int64(ByteArrayOutputStream out, long value) {
        out.writeBytes(little(Long.BYTES).putLong(value).array());
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
