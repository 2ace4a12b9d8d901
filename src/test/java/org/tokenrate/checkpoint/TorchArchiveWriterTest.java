package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** That torch itself reads what is written here was seen with torch 1.13 and 2.13. */
class TorchArchiveWriterTest {
    @TempDir Path folder;

    @Test
    void whatIsWrittenReadsBackExactly() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of the archive: " + seed);
        Random random = new Random(seed);
        List<Tensor> tensors =
                List.of(
                        new Tensor("embed", Type.F32, 257, 131), // more than a buffer
                        new Tensor("größe.weight", Type.BF16, 3, 5),
                        new Tensor("norm", Type.F16, 7));
        float[][] values = new float[tensors.size()][];
        Path file = folder.resolve("model.bin");
        try (var writer = TorchArchiveWriter.create(file, tensors)) {
            for (int i = 0; i < values.length; i++) {
                values[i] = new float[(int) tensors.get(i).size()];
                // Multiples of 1/8 up to 16 are exact in every type.
                for (int j = 0; j < values[i].length; j++) {
                    values[i][j] = (random.nextInt(255) - 127) / 8f;
                }
                writer.write(values[i]);
            }
        }
        try (TorchArchive archive = TorchArchive.open(file)) {
            for (int i = 0; i < values.length; i++) {
                TensorData tensor = archive.tensors().get(tensors.get(i).name());
                assertEquals(tensors.get(i).type().name(), tensor.type().name());
                assertArrayEquals(tensors.get(i).shape(), tensor.shape());
                assertArrayEquals(values[i], Values.floats(tensor));
            }
            assertEquals(tensors.size(), archive.tensors().size());
        }
    }

    @Test
    void theArchiveIsAProperZipWithTheChecksumsOfItsEntries() throws IOException {
        Path file = write("model.bin");
        try (ZipFile zip = new ZipFile(file.toFile())) {
            assertEquals(
                    List.of(
                            "archive/data.pkl",
                            "archive/byteorder",
                            "archive/data/0",
                            "archive/data/1",
                            "archive/version"),
                    zip.stream().map(ZipEntry::getName).toList());
            for (ZipEntry entry : zip.stream().toList()) {
                byte[] content = zip.getInputStream(entry).readAllBytes();
                var crc = new java.util.zip.CRC32();
                crc.update(content);
                assertEquals(crc.getValue(), entry.getCrc(), entry.getName());
            }
        }
    }

    @Test
    void everyTensorStartsAtAMultipleOf64Bytes() throws IOException {
        try (CheckpointFile file = CheckpointFile.open(write("model.bin"))) {
            for (var entry : StoredZip.read(file).entries().values()) {
                assertEquals(0, entry.offset() % 64, entry.name());
            }
        }
    }

    @Test
    void theSameTensorsMakeTheSameBytes() throws IOException {
        assertArrayEquals(
                Files.readAllBytes(write("one.bin")), Files.readAllBytes(write("two.bin")));
    }

    @Test
    void missingValuesAreNamedWhenTheFileIsClosed() throws IOException {
        var writer =
                TorchArchiveWriter.create(
                        folder.resolve("b.bin"), List.of(new Tensor("b", Type.F32, 3)));
        writer.write(new float[1]);
        var error = assertThrows(IOException.class, writer::close);
        assertTrue(error.getMessage().contains("tensor b has 1 of 3 values"), error.getMessage());
    }

    @Test
    void twoTensorsOfOneNameAreRefusedBeforeAFileIsReplaced() throws IOException {
        Path file = Files.writeString(folder.resolve("d.bin"), "kept");
        var tensors = List.of(new Tensor("a", Type.F32, 2), new Tensor("a", Type.F16, 2));
        assertThrows(
                IllegalArgumentException.class, () -> TorchArchiveWriter.create(file, tensors));
        assertEquals("kept", Files.readString(file));
    }

    private Path write(String name) throws IOException {
        Path file = folder.resolve(name);
        var tensors = List.of(new Tensor("a", Type.F16, 2, 3), new Tensor("b", Type.F32, 5));
        try (var writer = TorchArchiveWriter.create(file, tensors)) {
            writer.write(new float[] {1, 2, 3});
            writer.write(new float[] {4, 5, 6});
            writer.write(new float[] {7, 8, 9, 10, 11});
        }
        return file;
    }
}
