package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.tokenrate.checkpoint.RawTorchArchive.bytes;
import static org.tokenrate.checkpoint.RawTorchArchive.oneTensor;
import static org.tokenrate.checkpoint.RawTorchArchive.string;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Archives whose pickle is in order, but does not fit what lies beside it. */
class HostileTorchArchiveTest {
    private static final String GOOD =
            oneTensor("FloatStorage", "0", 12, 0, List.of(3L, 4L), List.of(4L, 1L));

    @TempDir Path folder;
    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("model.bin");
    }

    static Stream<Arguments> claims() {
        List<Long> shape = List.of(3L, 4L);
        List<Long> strides = List.of(4L, 1L);
        return Stream.of(
                Arguments.of(
                        oneTensor("FloatStorage", "1", 12, 0, shape, strides),
                        "tensor w lies in archive/data/1, which is missing"),
                Arguments.of(
                        oneTensor("FloatStorage", "../data.pkl", 12, 0, shape, strides),
                        "tensor w lies in archive/data/../data.pkl, which is missing"),
                Arguments.of(
                        oneTensor("FloatStorage", "x".repeat(100_000), 12, 0, shape, strides),
                        "tensor w lies in archive/data/"
                                + "x".repeat(67)
                                + "..., which is missing"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 13, 0, shape, strides),
                        "tensor w lies in a FloatStorage of 13 elements, but archive/data/0 has 48 bytes"),
                Arguments.of(
                        oneTensor("HalfStorage", "0", 1L << 60, 0, List.of(1L << 60), List.of(1L)),
                        "tensor w lies in a HalfStorage of 1152921504606846976 elements, but archive/data/0"
                                + " has 48 bytes"),
                Arguments.of(
                        oneTensor("LongStorage", "0", -1, 0, shape, strides),
                        "tensor w lies in a LongStorage of -1 elements, but archive/data/0 has 48 bytes"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, 1, shape, strides),
                        "tensor w of shape [3, 4] starts at element 1, but its storage archive/data/0 has"
                                + " 12"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, -1, shape, strides),
                        "tensor w of shape [3, 4] starts at element -1, but its storage archive/data/0"
                                + " has 12"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, Long.MAX_VALUE, shape, strides),
                        "tensor w of shape [3, 4] starts at element 9223372036854775807, but its storage"
                                + " archive/data/0 has 12"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, 0, List.of(1L << 32, 1L << 32), strides),
                        "tensor w has shape [4294967296, 4294967296], but its storage has 12 elements"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, 0, List.of(-3L, -4L), strides),
                        "tensor w has shape [-3, -4], but its storage has 12 elements"),
                Arguments.of(
                        oneTensor(
                                "FloatStorage",
                                "0",
                                12,
                                0,
                                List.of(2L, 2L, 3L),
                                List.of(6L, 3L, 1L)),
                        "tensor w has 3 dimensions; one or two fit"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, 0, shape, List.of(0L, 1L)),
                        "tensor w of shape [3, 4] is not contiguous; save its contiguous() instead"),
                Arguments.of(
                        oneTensor("FloatStorage", "0", 12, 0, shape, List.of(1L)),
                        "tensor w of shape [3, 4] is not contiguous; save its contiguous() instead"),
                Arguments.of(
                        "}K\u0001Ns.",
                        "holds a dict without tensors, and none under state_dict, model,"
                                + " module; save the model's state_dict()"),
                Arguments.of(
                        GOOD.substring(0, GOOD.length() - 1) + "K\u0001Ns.",
                        "has the key 1 where a tensor's name belongs"),
                Arguments.of(
                        GOOD.substring(0, GOOD.length() - 1) + string("n".repeat(1000)) + "Ns.",
                        "has a tensor's name of 1000 characters; the limit is 512"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("claims")
    void whatDoesNotFitIsRefusedWithTensorAndNumbers(String pickle, String problem)
            throws IOException {
        RawTorchArchive.write(file, pickle, 48);
        assertEquals(problem, refused());
    }

    @Test
    void aDamagedPickleIsToldByItsChecksum() throws IOException {
        RawTorchArchive.write(file, GOOD, 48);
        byte[] content = Files.readAllBytes(file);
        content[64 + 5]++; // the pickle starts at 64
        Files.write(file, content);
        assertEquals(
                "archive/data.pkl does not match its checksum: damaged, or saved without checksums"
                        + " (torch.serialization.set_crc32_options)",
                refused());
    }

    @Test
    void anArchiveOfAnotherByteOrderIsRefused() throws IOException {
        try (var zip = StoredZipWriter.create(file)) {
            zip.add("archive/data.pkl", bytes(GOOD));
            zip.add("archive/byteorder", "big".getBytes(StandardCharsets.US_ASCII));
            zip.add("archive/data/0", new byte[48]);
            zip.finish();
        }
        assertEquals("was saved in the byte order 'big'; only 'little' can be read", refused());
    }

    @Test
    void anArchiveOfTwoPicklesIsRefused() throws IOException {
        try (var zip = StoredZipWriter.create(file)) {
            zip.add("a/data.pkl", bytes(GOOD));
            zip.add("b/data.pkl", bytes(GOOD));
            zip.finish();
        }
        assertEquals("has two pickles: a/data.pkl, b/data.pkl", refused());
    }

    @Test
    void aZipOfSomethingElseIsRefused() throws IOException {
        try (var zip = StoredZipWriter.create(file)) {
            zip.add("holiday/photo.jpg", new byte[3]);
            zip.finish();
        }
        assertEquals("is a zip archive, but not one of torch.save: it has no data.pkl", refused());
    }

    @Test
    void aTruncatedArchiveIsRefusedByName() throws IOException {
        RawTorchArchive.write(file, GOOD, 48);
        byte[] content = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(content, 200));
        assertEquals("has no zip directory at its end: truncated? (200 bytes)", refused());
    }

    private String refused() {
        String message =
                assertThrows(CheckpointException.class, () -> TorchArchive.open(file).close())
                        .getMessage();
        return message.substring((file + ": ").length());
    }
}
