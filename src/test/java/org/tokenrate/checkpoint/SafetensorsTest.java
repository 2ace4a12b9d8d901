package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

class SafetensorsTest {
    private static final int DATA_BYTES = 16;
    private static final String GOOD =
            RawSafetensors.entry("w", "\"F32\"", "[2, 2]", "[0, " + DATA_BYTES + "]");

    @TempDir Path folder;

    /** A value and the bits that stand for it in a file. */
    private record Stored(float value, int bits) {
        static Stored random(Type type, Random random) {
            return switch (type) {
                case I32 -> throw new IllegalArgumentException("no float is stored so");
                case F32 -> {
                    float value = (float) random.nextGaussian();
                    yield new Stored(value, Float.floatToRawIntBits(value));
                }
                case BF16 -> {
                    int exponent = random.nextInt(255);
                    int bits = random.nextInt(2) << 15 | exponent << 7 | random.nextInt(128);
                    yield new Stored(Float.intBitsToFloat(bits << 16), bits);
                }
                case F16 -> {
                    int exponent = 1 + random.nextInt(30);
                    int mantissa = random.nextInt(1024);
                    int sign = random.nextInt(2);
                    double value = (1 + mantissa / 1024.0) * Math.pow(2, exponent - 15);
                    yield new Stored(
                            (float) (sign == 0 ? value : -value),
                            sign << 15 | exponent << 10 | mantissa);
                }
            };
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void everyRangeOfRowsReadsBackBitForBit(Type type) throws IOException {
        long seed = 7;
        Random random = new Random(seed);
        int rows = 13;
        int columns = 5;
        Stored[] values = new Stored[rows * columns];
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Stored.random(type, random);
            floats[i] = values[i].value;
        }
        Path file = folder.resolve("a.safetensors");
        var declared = List.of(new Tensor("v", Type.F32, 3), new Tensor("m", type, rows, columns));
        try (var writer = SafetensorsWriter.create(file, declared, Map.of("format", "pt"))) {
            writer.write(new float[] {1, 2, 3});
            writer.write(floats);
        }
        try (Safetensors read = Safetensors.open(file)) {
            assertEquals(Set.of("v", "m"), read.tensors().keySet());
            TensorData matrix = read.tensors().get("m");
            assertEquals("m", matrix.name());
            assertEquals(type.name(), matrix.type().name());
            assertArrayEquals(new long[] {rows, columns}, matrix.shape());
            for (int from = 0; from <= rows; from++) {
                for (int to = from; to <= rows; to++) {
                    String what = "rows " + from + " to " + to + ", seed " + seed;
                    Stored[] expected = Arrays.copyOfRange(values, from * columns, to * columns);
                    assertBits(expected, matrix.rows(from, to), type, what);
                    assertBits(expected, matrix.slice(from, rows).rows(0, to - from), type, what);
                }
            }
            TensorData vector = read.tensors().get("v");
            assertArrayEquals(new long[] {3}, vector.shape());
            assertEquals(1, vector.rowCount());
            assertEquals(3f, vector.rows(0, 1).getFloat(8));
        }
    }

    private static void assertBits(Stored[] expected, ByteBuffer got, Type type, String what) {
        int size = type == Type.F32 ? Integer.BYTES : Short.BYTES;
        assertEquals(expected.length * size, got.remaining(), what);
        assertTrue(got.isDirect(), what);
        for (Stored value : expected) {
            int bits = type == Type.F32 ? got.getInt() : got.getShort() & 0xffff;
            assertEquals(value.bits, bits, what);
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "1, 0", "0, 3", "3, 3"})
    void rowsThatATensorLacksAreRefused(long from, long to) throws IOException {
        Path file = RawSafetensors.write(folder.resolve("a"), "{" + GOOD + "}", DATA_BYTES);
        try (Safetensors read = Safetensors.open(file)) {
            TensorData tensor = read.tensors().get("w");
            assertThrows(IndexOutOfBoundsException.class, () -> tensor.rows(from, to));
        }
    }

    @Test
    void metadataIsNoTensor() throws IOException {
        String header = "{\"__metadata__\": {\"format\": \"pt\"}, " + GOOD + "}   ";
        Path file = RawSafetensors.write(folder.resolve("a"), header, DATA_BYTES);
        try (Safetensors read = Safetensors.open(file)) {
            assertEquals(Set.of("w"), read.tensors().keySet());
        }
    }

    @Test
    void aMissingFileAndAFolderInItsPlaceAreRefused() {
        Path missing = folder.resolve("missing");
        assertEquals(missing + ": is missing", refused(missing));
        assertEquals(folder + ": is not a file", refused(folder));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7})
    void aFileTooShortForAHeaderLengthIsRefused(int bytes) throws IOException {
        Path file = Files.write(folder.resolve("short"), new byte[bytes]);
        assertNames(refused(file), file, "is " + bytes + " bytes long, too short");
    }

    @Test
    void aFileThatIsCutAnywhereIsRefused() throws IOException {
        Path file = RawSafetensors.write(folder.resolve("cut"), "{" + GOOD + "}", DATA_BYTES);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            String message = refused(file);
            assertNames(message, file, "");
            if (length >= whole.length - DATA_BYTES) {
                String problem = "tensor w ends at byte 16 of the data, but the file holds ";
                assertNames(message, file, problem);
                assertTrue(message.endsWith(": truncated?"), message);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 18446744073709551615",
        "-9223372036854775808, 9223372036854775808",
        "9223372036854775807, 9223372036854775807",
        "0, 0",
        "1, 1",
        "100000001, 100000001",
        "20, 20",
    })
    void anAbsurdHeaderLengthIsRefused(long claimed, String named) throws IOException {
        Path file = RawSafetensors.write(folder.resolve("a"), claimed, "{}", DATA_BYTES);
        assertNames(refused(file), file, "claims a header of " + named + " bytes");
    }

    static Stream<Arguments> brokenHeaders() {
        return Stream.of(
                arguments("{\"w\": ", "has a broken header"),
                arguments("{} {}", "has a broken header"),
                arguments("{" + GOOD + ", " + GOOD + "}", "Duplicate field 'w'"),
                arguments("\u0000\u0000", "has a broken header"),
                arguments("[".repeat(5000), "has a broken header"),
                arguments("[1]", "has a header that is not a JSON object"),
                arguments("17", "has a header that is not a JSON object"),
                arguments("null", "has a header that is not a JSON object"),
                arguments("   ", "has a header that is not a JSON object"));
    }

    @ParameterizedTest
    @MethodSource("brokenHeaders")
    void aHeaderThatIsNoObjectOfJsonIsRefused(String header, String problem) throws IOException {
        Path file = RawSafetensors.write(folder.resolve("a"), header, DATA_BYTES);
        assertNames(refused(file), file, problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"F64\"", "\"I8\"", "\"f32\"", "32", "null", "[\"F32\"]"})
    void anUnknownElementTypeIsNamed(String dtype) throws IOException {
        String message = refusedEntry(dtype, "[2, 2]", "[0, 16]");
        assertTrue(message.contains("tensor w has dtype " + dtype + "; known are F32"), message);
    }

    @Test
    void anEntryThatIsNoObjectIsRefused() throws IOException {
        Path file = RawSafetensors.write(folder.resolve("a"), "{\"w\": 5}", DATA_BYTES);
        assertNames(refused(file), file, "tensor w has dtype (none)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "[1,2,2]", "4", "null", "{}"})
    void otherThanOneOrTwoDimensionsAreRefused(String shape) throws IOException {
        String message = refusedEntry("\"F32\"", shape, "[0, 16]");
        String problem = "tensor w has shape " + shape + "; one or two dimensions fit";
        assertTrue(message.contains(problem), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[0,4]",
                "[4,0]",
                "[-2,-2]",
                "[5]",
                "[2.5,2]",
                "[\"2\",2]",
                "[null,4]",
                "[4294967296,4294967296]",
                "[9223372036854775807]",
                "[18446744073709551618,2]",
            })
    void aShapeThatTheFileCannotHoldIsRefused(String shape) throws IOException {
        String message = refusedEntry("\"F32\"", shape, "[0, 16]");
        String problem = "tensor w has shape " + shape + " of F32, but the file holds 16 bytes";
        assertTrue(message.contains(problem), message);
    }

    @Test
    void ofAnEndlessShapeOnlyTheStartIsQuoted() throws IOException {
        String shape = "[" + "1,".repeat(100_000) + "1]";
        String message = refusedEntry("\"F32\"", shape, "[0, 16]");
        assertTrue(message.length() < 500, () -> "a message of " + message.length());
        assertTrue(message.contains("tensor w has shape [1,1,1,"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[16,0]",
                "[-16,0]",
                "[0]",
                "[0,8,16]",
                "[0.5,16.5]",
                "[\"0\",\"16\"]",
                "[18446744073709551616,16]",
                "[0,18446744073709551632]",
                "{}",
                "16",
            })
    void offsetsThatAreNoRangeAreRefused(String offsets) throws IOException {
        String message = refusedEntry("\"F32\"", "[2, 2]", offsets);
        assertTrue(message.contains("tensor w has impossible offsets " + offsets), message);
    }

    @ParameterizedTest
    @CsvSource({"0, 17", "1, 17", "100, 116", "0, 9223372036854775807"})
    void offsetsBehindTheEndOfTheFileAreRefused(long begin, long end) throws IOException {
        String message = refusedEntry("\"F32\"", "[2, 2]", "[" + begin + ", " + end + "]");
        String problem = "tensor w ends at byte " + end + " of the data, but the file holds 16";
        assertTrue(message.contains(problem), message);
    }

    @ParameterizedTest
    @CsvSource({"F32, 0, 12", "F32, 4, 16", "F32, 8, 8", "F16, 0, 16", "BF16, 0, 4"})
    void offsetsThatDoNotMatchTheShapeAreRefused(String type, long begin, long end)
            throws IOException {
        String message = refusedEntry("\"" + type + "\"", "[2, 2]", "[" + begin + ", " + end + "]");
        assertTrue(message.contains("tensor w of shape [2,2] and type " + type), message);
        assertTrue(message.contains("offsets span " + (end - begin)), message);
    }

    @ParameterizedTest
    @CsvSource({"0, 12", "4, 12", "8, 16", "0, 8", "4, 16"})
    void tensorsThatOverlapAreBothNamed(long begin, long end) throws IOException {
        String header =
                "{%s, %s}"
                        .formatted(
                                RawSafetensors.entry("a", "\"F32\"", "[3]", "[0, 12]"),
                                RawSafetensors.entry(
                                        "b",
                                        "\"F32\"",
                                        "[" + (end - begin) / 4 + "]",
                                        "[" + begin + ", " + end + "]"));
        Path file = RawSafetensors.write(folder.resolve("a"), header, DATA_BYTES);
        String message = refused(file);
        assertTrue(message.matches(".*: tensors (a and b|b and a) overlap"), message);
    }

    private String refusedEntry(String dtype, String shape, String offsets) throws IOException {
        String header = "{" + RawSafetensors.entry("w", dtype, shape, offsets) + "}";
        Path file = RawSafetensors.write(folder.resolve("a"), header, DATA_BYTES);
        String message = refused(file);
        assertNames(message, file, "");
        return message;
    }

    private static String refused(Path file) {
        return assertThrows(CheckpointException.class, () -> Safetensors.open(file).close())
                .getMessage();
    }

    private static void assertNames(String message, Path file, String problem) {
        assertTrue(message.startsWith(file + ": "), message);
        assertTrue(message.contains(problem), message);
        assertFalse(message.contains("\n"), message);
    }
}
