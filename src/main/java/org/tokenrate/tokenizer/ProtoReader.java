package org.tokenrate.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The fields of one protobuf message, in the wire format of
 * protobuf.dev/programming-guides/encoding: a walk that copies nothing and trusts no length.
 */
final class ProtoReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private final Path file;
    private final ByteBuffer bytes;

    /** Where in the file the message begins. */
    private final int base;

    private int field;
    private int wireType;

    ProtoReader(Path file, byte[] bytes) {
        this(file, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private ProtoReader(Path file, ByteBuffer bytes, int base) {
        this.file = file;
        this.bytes = bytes;
        this.base = base;
    }

    /** Goes to the next field, whose value must then be read or skipped; false at the end. */
    boolean next() throws IOException {
        if (!bytes.hasRemaining()) return false;
        long tag = readVarint();
        field = (int) (tag >>> 3);
        wireType = (int) tag & 7;
        if (tag >>> 32 != 0 || field == 0) throw broken("the tag " + tag + " is none");
        return true;
    }

    int field() {
        return field;
    }

    long varint() throws IOException {
        expect(VARINT);
        return readVarint();
    }

    boolean bool() throws IOException {
        return varint() != 0;
    }

    float fixed32() throws IOException {
        expect(FIXED32);
        return Float.intBitsToFloat(need(4).getInt());
    }

    ProtoReader message() throws IOException {
        expect(BYTES);
        int length = length();
        var inner = new ProtoReader(file, slice(length), position());
        bytes.position(bytes.position() + length);
        return inner;
    }

    byte[] bytes() throws IOException {
        expect(BYTES);
        var value = new byte[length()];
        bytes.get(value);
        return value;
    }

    String string() throws IOException {
        int start = position();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes())).toString();
        } catch (CharacterCodingException e) {
            throw broken("the text at byte " + start + " is not UTF-8");
        }
    }

    void skip() throws IOException {
        switch (wireType) {
            case VARINT -> readVarint();
            case FIXED64 -> need(8).getLong();
            case BYTES -> {
                int length = length();
                bytes.position(bytes.position() + length);
            }
            case FIXED32 -> need(4).getInt();
            default -> throw broken("field " + field + " is of the unknown kind " + wireType);
        }
    }

    IOException broken(String what) {
        return new IOException(
                file + " is no SentencePiece model: near byte " + position() + ", " + what);
    }

    private int position() {
        return base + bytes.position();
    }

    private ByteBuffer slice(int length) {
        return bytes.slice(bytes.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void expect(int kind) throws IOException {
        if (wireType != kind) {
            throw broken("field " + field + " is of kind " + wireType + " and not " + kind);
        }
    }

    private int length() throws IOException {
        long length = readVarint();
        if (length < 0 || length > bytes.remaining()) {
            throw broken(
                    "field "
                            + field
                            + " claims "
                            + Long.toUnsignedString(length)
                            + " bytes of "
                            + bytes.remaining()
                            + " that are left");
        }
        return (int) length;
    }

    private ByteBuffer need(int count) throws IOException {
        if (bytes.remaining() < count) throw broken("the file is cut off");
        return bytes;
    }

    private long readVarint() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int b = need(1).get();
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) return value;
        }
        throw broken("a number has more than ten bytes");
    }
}
