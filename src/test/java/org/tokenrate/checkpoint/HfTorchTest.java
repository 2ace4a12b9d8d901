package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** Folders with pytorch_model.bin, or with shards of it. */
class HfTorchTest {
    private static final List<Tensor> TENSORS =
            List.of(
                    new Tensor("model.embed_tokens.weight", Type.BF16, 33, 16),
                    new Tensor("model.layers.0.mlp.up_proj.weight", Type.F16, 24, 16),
                    new Tensor("model.layers.0.mlp.up_proj.bias", Type.F32, 24),
                    new Tensor("model.norm.weight", Type.F32, 16));

    @TempDir Path folder;

    @Test
    void aModelIsTheSameInEveryFormAndHoweverSharded() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of the model's weights: " + seed);
        Path safetensors = Files.createDirectory(folder.resolve("safetensors"));
        try (var writer =
                SafetensorsWriter.create(
                        safetensors.resolve("model.safetensors"), TENSORS, Map.of())) {
            fill(writer, TENSORS, 0, seed);
        }
        Path single = Files.createDirectory(folder.resolve("single"));
        write(single.resolve("pytorch_model.bin"), TENSORS, 0, seed);
        Path sharded = Files.createDirectory(folder.resolve("sharded"));
        write(shard(sharded, 1), TENSORS.subList(0, 2), 0, seed);
        write(shard(sharded, 2), TENSORS.subList(2, 4), 2, seed);
        index(sharded, Map.of("a", shardName(1), "b", shardName(2)));

        try (var expected = HfCheckpoint.open(safetensors);
                var one = HfCheckpoint.open(single);
                var two = HfCheckpoint.open(sharded)) {
            for (HfCheckpoint checkpoint : List.of(one, two)) {
                assertEquals(expected.names(), checkpoint.names());
                for (Tensor tensor : TENSORS) {
                    TensorData wanted = expected.tensor(tensor.name(), tensor.shape());
                    TensorData found = checkpoint.tensor(tensor.name(), tensor.shape());
                    assertEquals(wanted.type(), found.type());
                    assertArrayEquals(Values.floats(wanted), Values.floats(found), tensor.name());
                }
            }
        }
    }

    @Test
    void safetensorsAreReadWhereBothAreThere() throws IOException {
        Tensor tensor = new Tensor("w", Type.F32, 1);
        try (var writer =
                SafetensorsWriter.create(
                        folder.resolve("model.safetensors"), List.of(tensor), Map.of())) {
            writer.write(new float[] {1});
        }
        Files.writeString(folder.resolve("pytorch_model.bin"), "not even an archive");
        try (var checkpoint = HfCheckpoint.open(folder)) {
            assertArrayEquals(new float[] {1}, Values.floats(checkpoint.tensor("w", 1)));
        }
    }

    @Test
    void aMissingShardIsNamedBesideWhatIsThere() throws IOException {
        write(shard(folder, 1), TENSORS.subList(0, 1), 0, 1);
        index(folder, Map.of("a", shardName(1), "b", shardName(2)));
        assertEquals(
                shard(folder, 2)
                        + ": is missing; the folder holds pytorch_model-00001-of-00002.bin,"
                        + " pytorch_model.bin.index.json",
                refused());
    }

    @Test
    void theSameTensorInTwoShardsIsRefusedWithBothNames() throws IOException {
        write(shard(folder, 1), TENSORS.subList(0, 1), 0, 1);
        write(shard(folder, 2), TENSORS.subList(0, 1), 0, 1);
        index(folder, Map.of("a", shardName(1), "b", shardName(2)));
        assertEquals(
                shard(folder, 2)
                        + ": holds model.embed_tokens.weight, and so does "
                        + shard(folder, 1),
                refused());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../outside.bin", "/etc/passwd.bin", "model.safetensors", ".hidden.bin", ""})
    void aShardIsAPlainFileNameThatEndsInBin(String name) throws IOException {
        index(folder, Map.of("a", name));
        assertEquals(
                "%s: names the shard '%s', which is not the name of a .bin file of this folder"
                        .formatted(folder.resolve("pytorch_model.bin.index.json"), name),
                refused());
    }

    @Test
    void whatATorchArchiveCannotGiveIsSaidWhenItIsAskedFor() throws IOException {
        try (var in = HfTorchTest.class.getResourceAsStream("torch/types.bin")) {
            Files.copy(in, folder.resolve("pytorch_model.bin"));
        }
        try (var checkpoint = HfCheckpoint.open(folder)) {
            var e = assertThrows(CheckpointException.class, () -> checkpoint.tensor("f64", 2));
            assertEquals(
                    folder
                            + ": has no tensor f64; what pytorch_model.bin calls so is of a"
                            + " DoubleStorage; known are F32, F16, BF16 and I32",
                    e.getMessage());
        }
    }

    private static Path shard(Path folder, int number) {
        return folder.resolve(shardName(number));
    }

    private static String shardName(int number) {
        return "pytorch_model-%05d-of-00002.bin".formatted(number);
    }

    private static void index(Path folder, Map<String, String> shardOf) throws IOException {
        StringBuilder map = new StringBuilder();
        shardOf.forEach(
                (name, shard) ->
                        map.append(map.isEmpty() ? "" : ", ")
                                .append("\"%s\": \"%s\"".formatted(name, shard)));
        Files.writeString(
                folder.resolve("pytorch_model.bin.index.json"),
                "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + map + "}}");
    }

    private static void write(Path file, List<Tensor> tensors, int first, long seed)
            throws IOException {
        try (var writer = TorchArchiveWriter.create(file, tensors)) {
            fill(writer, tensors, first, seed);
        }
    }

    /** A tensor's values depend on the seed and its place in the model alone. */
    private static void fill(TensorWriter writer, List<Tensor> tensors, int first, long seed)
            throws IOException {
        for (int i = 0; i < tensors.size(); i++) {
            Random random = new Random(seed + first + i);
            float[] values = new float[(int) tensors.get(i).size()];
            for (int j = 0; j < values.length; j++) values[j] = (float) random.nextGaussian();
            writer.write(values);
        }
    }

    private String refused() {
        return assertThrows(CheckpointException.class, () -> HfCheckpoint.open(folder).close())
                .getMessage();
    }
}
