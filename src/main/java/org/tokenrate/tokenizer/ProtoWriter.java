package org.tokenrate.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Fields of one protobuf message; see {@link ProtoReader}. */
final class ProtoWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ProtoWriter varint(int field, long value) {
        writeVarint((long) field << 3 | ProtoReader.VARINT);
        writeVarint(value);
        return this;
    }

    ProtoWriter bool(int field, boolean value) {
        return varint(field, value ? 1 : 0);
    }

    ProtoWriter fixed32(int field, float value) {
        writeVarint((long) field << 3 | ProtoReader.FIXED32);
        int bits = Float.floatToRawIntBits(value);
        for (int shift = 0; shift < 32; shift += 8) out.write(bits >>> shift);
        return this;
    }

    ProtoWriter bytes(int field, byte[] value) {
        writeVarint((long) field << 3 | ProtoReader.BYTES);
        writeVarint(value.length);
        out.writeBytes(value);
        return this;
    }

    ProtoWriter string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    ProtoWriter message(int field, ProtoWriter value) {
        return bytes(field, value.toBytes());
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    private void writeVarint(long value) {
        while ((value & ~0x7fL) != 0) {
            out.write((int) value | 0x80);
            value >>>= 7;
        }
        out.write((int) value);
    }
}
