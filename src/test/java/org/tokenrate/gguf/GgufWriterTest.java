package org.tokenrate.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
    private static final int ALIGNMENT = 32;

    @TempDir Path folder;

    private GgufWriter writer(GgufTensor... tensors) throws IOException {
        return GgufWriter.create(file(), new GgufMetadata().put("k", 7), List.of(tensors));
    }

    private Path file() {
        return folder.resolve("model.gguf");
    }

    @Test
    void theFileIsLaidOutAsTheFormatSays() throws IOException {
        GgufTensor first = new GgufTensor("a", GgufType.F32, 3, 2);
        GgufTensor second = new GgufTensor("b", GgufType.BF16, 5);
        byte[] a = new byte[24];
        byte[] b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        a[0] = 99;
        try (GgufWriter writer = writer(first, second)) {
            writer.write(ByteBuffer.wrap(a, 0, 10));
            writer.write(ByteBuffer.wrap(a, 10, 14));
            writer.write(ByteBuffer.wrap(b));
        }
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file())).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals("GGUF", bytes(in, 4));
        assertEquals(3, in.getInt());
        assertEquals(2, in.getLong(), "tensors");
        assertEquals(1, in.getLong(), "keys");
        assertEquals("k", bytes(in, (int) in.getLong()));
        assertEquals(4, in.getInt(), "uint32");
        assertEquals(7, in.getInt());
        assertTensor(in, "a", 0, 0, 2, 3);
        assertTensor(in, "b", 30, ALIGNMENT, 5);
        int data = (in.position() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        assertEquals(data + 2 * ALIGNMENT, in.limit());
        assertArrayEquals(a, part(in, data, a.length));
        assertArrayEquals(b, part(in, data + ALIGNMENT, b.length));
    }

    private static void assertTensor(
            ByteBuffer in, String name, int type, long offset, long... innermostFirst) {
        assertEquals(name, bytes(in, (int) in.getLong()));
        assertEquals(innermostFirst.length, in.getInt());
        for (long extent : innermostFirst) assertEquals(extent, in.getLong());
        assertEquals(type, in.getInt());
        assertEquals(offset, in.getLong());
    }

    private static String bytes(ByteBuffer in, int length) {
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] part(ByteBuffer in, int from, int length) {
        byte[] bytes = new byte[length];
        in.get(from, bytes);
        return bytes;
    }

    @Test
    void anUnfinishedTensorIsNamed() throws IOException {
        GgufWriter writer = writer(new GgufTensor("a", GgufType.F16, 4));
        writer.write(ByteBuffer.allocate(6));
        assertEquals(
                file() + " is incomplete: tensor a has 6 of 8 bytes",
                assertThrows(IOException.class, writer::close).getMessage());
    }

    @Test
    void moreThanATensorHoldsIsRefused() throws IOException {
        try (GgufWriter writer = writer(new GgufTensor("a", GgufType.F16, 4))) {
            assertThrows(
                    IllegalArgumentException.class, () -> writer.write(ByteBuffer.allocate(9)));
            writer.write(ByteBuffer.allocate(8));
            assertThrows(
                    IllegalArgumentException.class, () -> writer.write(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void twoTensorsOfOneNameAreRefused() {
        GgufTensor tensor = new GgufTensor("a", GgufType.F32, 1);
        assertThrows(IllegalArgumentException.class, () -> writer(tensor, tensor));
    }

    @Test
    void tokensBecomeTextAndBack() {
        int[] tokens = {0, 9, 300, 508};
        assertEquals("00000912c1fc", new TokenText(0, 509).text(tokens));
        assertArrayEquals(tokens, new TokenText(0, 509).tokens("00000912c1fc"));
        assertEquals("10041005", new TokenText(0x1000, 16).text(4, 5));
        assertArrayEquals(new int[] {4, 5}, new TokenText(0x1000, 16).tokens("10041005"));
        assertThrows(IllegalArgumentException.class, () -> new TokenText(0, 509).tokens("0012"));
    }
}
