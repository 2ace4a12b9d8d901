package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

class SafetensorsWriterTest {
    @TempDir Path folder;

    @Test
    void aFileHoldsHeaderAndValuesWhereTheHeaderSaysTheyAre() throws IOException {
        Path file = folder.resolve("a.safetensors");
        var tensors =
                List.of(
                        new Tensor("first", Type.F32, 2, 3),
                        new Tensor("empty", Type.F16, 0, 4),
                        new Tensor("second", Type.BF16, 5),
                        new Tensor("scalar", Type.F16));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            writer.write(new float[] {1, 2});
            writer.write(new float[] {3, 4, 5, 6});
            writer.write(new float[] {-1, 0.5f, 0, 2, 3});
            writer.write(new float[] {1.5f});
        }

        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = (int) bytes.getLong();
        assertEquals(0, headerLength % 8, "the values start at a multiple of 8");
        JsonNode header = new ObjectMapper().readTree(bytes.array(), 8, headerLength);
        assertEquals("pt", header.at("/__metadata__/format").asText());
        assertEquals("[2,3]", header.at("/first/shape").toString());
        assertEquals("[0,24]", header.at("/first/data_offsets").toString());
        assertEquals("[24,24]", header.at("/empty/data_offsets").toString());
        assertEquals("BF16", header.at("/second/dtype").asText());
        assertEquals("[24,34]", header.at("/second/data_offsets").toString());
        assertEquals("[]", header.at("/scalar/shape").toString());
        assertEquals("[34,36]", header.at("/scalar/data_offsets").toString());
        int start = 8 + headerLength;
        assertEquals(start + 36, bytes.capacity());
        assertEquals(6f, bytes.getFloat(start + 20));
        assertEquals(0.5f, Float.intBitsToFloat(bytes.getShort(start + 26) << 16));
        assertEquals(0x3E00, bytes.getShort(start + 34));
    }

    @Test
    void aTensorLargerThanTheBufferIsWrittenWhole() throws IOException {
        Path file = folder.resolve("large.safetensors");
        var values = new float[100_003];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        var tensors = List.of(new Tensor("large", Type.F32, values.length));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            writer.write(values);
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int start = 8 + (int) bytes.getLong();
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], bytes.getFloat(start + 4 * i));
        }
    }

    @Test
    void missingValuesAreNamedWhenTheFileIsClosed() throws IOException {
        var tensors = List.of(new Tensor("a", Type.F32, 2), new Tensor("b", Type.F32, 3));
        var writer = SafetensorsWriter.create(folder.resolve("b.safetensors"), tensors, Map.of());
        writer.write(new float[2]);
        writer.write(new float[1]);
        var error = assertThrows(IOException.class, writer::close);
        assertTrue(error.getMessage().contains("tensor b has 1 of 3 values"), error.getMessage());
    }

    @Test
    void surplusValuesAreRefused() throws IOException {
        var tensors = List.of(new Tensor("a", Type.F32, 2));
        try (var writer =
                SafetensorsWriter.create(folder.resolve("c.safetensors"), tensors, Map.of())) {
            assertThrows(IllegalArgumentException.class, () -> writer.write(new float[3]));
            writer.write(new float[2]);
            assertThrows(IllegalArgumentException.class, () -> writer.write(new float[1]));
        }
    }

    @Test
    void twoTensorsOfOneNameAreRefused() {
        var tensors = List.of(new Tensor("a", Type.F32, 2), new Tensor("a", Type.F16, 2));
        Path file = folder.resolve("d.safetensors");
        assertThrows(
                IllegalArgumentException.class,
                () -> SafetensorsWriter.create(file, tensors, Map.of()));
    }

    @Test
    void everyHalfAndEveryBfloatSurvivesTheWayThroughFloat() {
        for (int bits = 0; bits < 0x10000; bits++) {
            float bf16 = Float.intBitsToFloat(bits << 16);
            if (!Float.isNaN(bf16)) {
                assertEquals((short) bits, SafetensorsWriter.toBf16(bf16));
            } else {
                assertTrue(Float.isNaN(Float.intBitsToFloat(SafetensorsWriter.toBf16(bf16) << 16)));
            }
            float half = half(bits);
            if (!Float.isNaN(half)) {
                assertEquals((short) bits, SafetensorsWriter.toF16(half));
            } else {
                assertTrue(Float.isNaN(half(SafetensorsWriter.toF16(half) & 0xFFFF)));
            }
        }
    }

    @Test
    void floatsAreRoundedToTheNearestAndTiesToEven() {
        long seed = System.nanoTime();
        System.out.println("seed of the rounding test: " + seed);
        var random = new Random(seed);
        for (int i = 0; i < 200_000; i++) {
            boolean tie = i % 4 == 0;
            int low = random.nextInt(0x7BFF);
            float below = half(low);
            float above = half(low + 1);
            float between = (float) (below + (tie ? 0.5 : random.nextDouble()) * (above - below));
            double toLow = (double) between - below;
            double toHigh = (double) above - between;
            int nearest = toLow < toHigh || toLow == toHigh && low % 2 == 0 ? low : low + 1;
            assertEquals((short) nearest, SafetensorsWriter.toF16(between), "" + between);
            assertEquals((short) (nearest | 0x8000), SafetensorsWriter.toF16(-between));

            int high = random.nextInt(0x7F7F);
            below = Float.intBitsToFloat(high << 16);
            between = Float.intBitsToFloat((high << 16) + (tie ? 0x8000 : random.nextInt(0x10000)));
            toLow = (double) between - below;
            toHigh = (double) Float.intBitsToFloat(high + 1 << 16) - between;
            nearest = toLow < toHigh || toLow == toHigh && high % 2 == 0 ? high : high + 1;
            assertEquals((short) nearest, SafetensorsWriter.toBf16(between), "" + between);
        }
        assertEquals(0x7C00, SafetensorsWriter.toF16(65_520f), "rounds up past the largest half");
        assertEquals(0x7BFF, SafetensorsWriter.toF16(65_519f));
        assertEquals(0x7F80, SafetensorsWriter.toBf16(Float.MAX_VALUE));
    }

    /** IEEE 754 binary16 from its definition. */
    private static float half(int bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude =
                exponent == 31
                        ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                        : exponent == 0
                                ? fraction * 0x1p-24
                                : (1024 + fraction) * Math.pow(2, exponent - 25);
        return (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
    }
}
