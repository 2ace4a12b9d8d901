package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

class HfCheckpointTest {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir Path temporary;

    @Test
    void oneFileReadsBackExactly() throws IOException {
        Path folder = folder();
        write(folder.resolve(SINGLE), new Tensor("a", Type.F32, 2, 3), 1, 2, 3, -4, 5, 6.5f);
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            assertEquals(Set.of("a"), checkpoint.names());
            assertArrayEquals(new float[] {1, 2, 3, -4, 5, 6.5f}, floats(checkpoint, "a", 2, 3));
        }
    }

    @Test
    void shardsReadBackAsOneCheckpoint() throws IOException {
        Path folder = folder();
        write(folder.resolve("one.safetensors"), new Tensor("a", Type.F32, 2), 1, 2);
        write(folder.resolve("two.safetensors"), new Tensor("b", Type.F32, 1, 3), 3, 4, 5);
        write(folder.resolve("stray.safetensors"), new Tensor("c", Type.F32, 1), 6);
        index(folder, Map.of("a", "one.safetensors", "b", "two.safetensors"));
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            assertEquals(Set.of("a", "b"), checkpoint.names());
            assertArrayEquals(new float[] {1, 2}, floats(checkpoint, "a", 2));
            assertArrayEquals(new float[] {3, 4, 5}, floats(checkpoint, "b", 1, 3));
        }
    }

    @Test
    void theDigestIsOfConfigurationAndShardsInOrder() throws IOException, GeneralSecurityException {
        Path folder = folder();
        Path one = write(folder.resolve("one.safetensors"), new Tensor("a", Type.F32, 2), 1, 2);
        Path two = write(folder.resolve("two.safetensors"), new Tensor("b", Type.F32, 1), 3);
        index(folder, Map.of("a", "two.safetensors", "b", "one.safetensors"));
        Path config = Files.writeString(folder.resolve("config.json"), "{}");
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Path file : List.of(config, one, two)) digest.update(Files.readAllBytes(file));
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            assertEquals(HexFormat.of().formatHex(digest.digest()), checkpoint.sha256());
        }
    }

    @Test
    void aMissingFolderAndAFileInItsPlaceAreRefused() throws IOException {
        Path missing = temporary.resolve("missing");
        Path file = Files.createFile(temporary.resolve("file"));
        for (Path path : List.of(missing, file)) {
            assertEquals(
                    path + ": is not a folder; give a Hugging Face model folder", refused(path));
        }
    }

    @Test
    void whatAFolderWithoutWeightsHoldsIsListed() throws IOException {
        Path folder = folder();
        for (int i = 10; i < 25; i++) Files.createFile(folder.resolve("part-" + i + ".bin"));
        assertEquals(
                folder
                        + ": holds none of model.safetensors, model.safetensors.index.json,"
                        + " pytorch_model.bin, pytorch_model.bin.index.json, but"
                        + " part-10.bin, part-11.bin, part-12.bin, part-13.bin, part-14.bin,"
                        + " part-15.bin, part-16.bin, part-17.bin, part-18.bin, part-19.bin,"
                        + " part-20.bin, part-21.bin and 3 more",
                refused(folder));
    }

    @Test
    void anEmptyFolderIsSaidToBeEmpty() throws IOException {
        Path folder = folder();
        String message = refused(folder);
        assertTrue(message.startsWith(folder + ": holds none of model.safetensors, "), message);
        assertTrue(message.endsWith("but is empty"), message);
    }

    @Test
    void aTensorThatIsMissingIsNamedWithItsFolder() throws IOException {
        Path folder = folder();
        write(folder.resolve(SINGLE), new Tensor("a", Type.F32, 1), 1);
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            var e = assertThrows(CheckpointException.class, () -> checkpoint.tensor("b", 1));
            assertEquals(folder + ": has no tensor b", e.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 2", "2, 4", "1, 6", "6, 1"})
    void aTensorOfAnotherShapeIsNamedWithItsFileAndBothShapes(long rows, long columns)
            throws IOException {
        Path folder = folder();
        Path shard = folder.resolve("one.safetensors");
        write(shard, new Tensor("a", Type.F32, 2, 3), 1, 2, 3, 4, 5, 6);
        index(folder, Map.of("a", "one.safetensors"));
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            var e =
                    assertThrows(
                            CheckpointException.class, () -> checkpoint.tensor("a", rows, columns));
            assertEquals(
                    "%s: tensor a has shape [2, 3], but config.json says [%d, %d]"
                            .formatted(shard, rows, columns),
                    e.getMessage());
        }
    }

    @Test
    void aDamagedShardIsNamed() throws IOException {
        Path folder = folder();
        write(folder.resolve("one.safetensors"), new Tensor("a", Type.F32, 1), 1);
        Path two = Files.write(folder.resolve("two.safetensors"), new byte[5]);
        index(folder, Map.of("a", "one.safetensors", "b", "two.safetensors"));
        assertTrue(refused(folder).startsWith(two + ": is 5 bytes long"), refused(folder));
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        Path folder = folder();
        index(folder, Map.of("a", "one.safetensors"));
        assertEquals(
                folder.resolve("one.safetensors")
                        + ": is missing; the folder holds model.safetensors.index.json",
                refused(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../outside.safetensors", "sub/../../outside.safetensors", "ABSOLUTE"})
    void anIndexMayNotPointOutsideItsFolder(String shard) throws IOException {
        Path folder = folder();
        Path outside = temporary.resolve("outside.safetensors");
        write(outside, new Tensor("a", Type.F32, 1), 1);
        Files.createDirectory(folder.resolve("sub"));
        String name = shard.equals("ABSOLUTE") ? outside.toString() : shard;
        index(folder, Map.of("a", name.replace("\\", "\\\\")));
        assertNamesShard(folder, name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sub/in.safetensors",
                "..\\\\outside.safetensors",
                "..safetensors",
                ".hidden.safetensors",
                "one.bin",
                "one.safetensors/",
                "",
            })
    void aShardIsAPlainSafetensorsFileName(String name) throws IOException {
        Path folder = folder();
        index(folder, Map.of("a", name));
        assertNamesShard(folder, name.replace("\\\\", "\\"));
    }

    private static void assertNamesShard(Path folder, String name) {
        assertEquals(
                "%s: names the shard '%s', which is not the name of a .safetensors file of this folder"
                        .formatted(folder.resolve(INDEX), name),
                refused(folder));
    }

    @Test
    void theSameTensorInTwoShardsIsRefusedWithBothNames() throws IOException {
        Path folder = folder();
        Path one = write(folder.resolve("one.safetensors"), new Tensor("a", Type.F32, 1), 1);
        Path two = write(folder.resolve("two.safetensors"), new Tensor("a", Type.F32, 1), 2);
        index(folder, Map.of("a", "one.safetensors", "b", "two.safetensors"));
        assertEquals(two + ": holds a, and so does " + one, refused(folder));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{}", "{\"weight_map\": {}}", "{\"weight_map\": [\"a\"]}", "[]", "7", ""})
    void anIndexWithoutAWeightMapIsRefused(String json) throws IOException {
        Path folder = folder();
        Files.writeString(folder.resolve(INDEX), json);
        assertEquals(folder.resolve(INDEX) + ": has no weight_map", refused(folder));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "weights",
                "\0\0\0{\0\0\0",
                "{\"weight_map\": \"\u0001\"}",
                "{\"weight_map\": {\"a\": \"one.safetensors\"}} {}",
                "{\"weight_map\": {\"a\": \"one.safetensors\", \"a\": \"two.safetensors\"}}",
            })
    void anIndexThatIsNotJsonIsRefused(String text) throws IOException {
        Path folder = folder();
        Files.write(folder.resolve(INDEX), text.getBytes(StandardCharsets.ISO_8859_1));
        String message = refused(folder);
        assertTrue(message.startsWith(folder.resolve(INDEX) + ": is not JSON: "), message);
    }

    @Test
    void aFolderNamedLikeTheWeightsIsRefused() throws IOException {
        Path folder = folder();
        Files.createDirectory(folder.resolve(SINGLE));
        assertEquals(folder.resolve(SINGLE) + ": is not a file", refused(folder));
    }

    private Path folder() throws IOException {
        return Files.createDirectories(temporary.resolve("model"));
    }

    private static Path write(Path file, Tensor tensor, float... values) throws IOException {
        try (var writer = SafetensorsWriter.create(file, List.of(tensor), Map.of())) {
            writer.write(values);
        }
        return file;
    }

    private static void index(Path folder, Map<String, String> shardOf) throws IOException {
        StringBuilder map = new StringBuilder();
        shardOf.forEach(
                (name, shard) ->
                        map.append(map.isEmpty() ? "" : ", ")
                                .append("\"%s\": \"%s\"".formatted(name, shard)));
        Files.writeString(folder.resolve(INDEX), "{\"weight_map\": {" + map + "}}");
    }

    private static float[] floats(Checkpoint checkpoint, String name, long... shape)
            throws IOException {
        TensorData tensor = checkpoint.tensor(name, shape);
        var buffer = tensor.rows(0, tensor.rowCount()).asFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static String refused(Path folder) {
        return assertThrows(CheckpointException.class, () -> HfCheckpoint.open(folder).close())
                .getMessage();
    }
}
