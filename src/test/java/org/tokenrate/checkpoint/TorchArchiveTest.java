package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives that torch itself wrote, with the script beside them: {@code torch/make.py}. */
class TorchArchiveTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "types.bin",
                "protocol-3.bin",
                "protocol-4.bin",
                "protocol-5.bin",
                "current.bin"
            })
    void everyTypeReadsBackExactlyWhateverThePicklesProtocol(String name) throws IOException {
        try (TorchArchive archive = open(name)) {
            assertTensor(
                    archive,
                    "f32",
                    DType.F32,
                    new long[] {2, 3},
                    -1.5f,
                    -.5f,
                    .5f,
                    1.5f,
                    2.5f,
                    3.5f);
            assertTensor(archive, "f16", DType.F16, new long[] {2, 2}, -1.5f, -.5f, .5f, 1.5f);
            assertTensor(archive, "bf16", DType.BF16, new long[] {3}, -1.5f, -.5f, .5f);
            assertTensor(
                    archive, "parameter", DType.F32, new long[] {2, 2}, -1.5f, -.5f, .5f, 1.5f);
            TensorData integers = archive.tensors().get("i32");
            assertEquals(DType.I32, integers.type());
            ByteBuffer rows = integers.rows(0, 1);
            assertEquals(1, rows.getInt());
            assertEquals(-2, rows.getInt());
        }
    }

    @Test
    void whatIsOfNoUseIsListedWithItsReason() throws IOException {
        try (TorchArchive archive = open("types.bin")) {
            assertEquals(
                    Set.of("f32", "f16", "bf16", "i32", "parameter"), archive.tensors().keySet());
            assertEquals(
                    Map.of(
                            "i64", "is of a LongStorage; known are F32, F16, BF16 and I32",
                            "f64", "is of a DoubleStorage; known are F32, F16, BF16 and I32",
                            "mask", "is of a BoolStorage; known are F32, F16, BF16 and I32",
                            "steps", "is a number, not a tensor",
                            "nothing", "is None, not a tensor"),
                    archive.unusable());
        }
    }

    @Test
    void tensorsOfOneStorageAreReadFromTheirOffsets() throws IOException {
        try (TorchArchive archive = open("shared.bin")) {
            float[] all = {-1.5f, -.5f, .5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f, 8.5f, 9.5f};
            assertTensor(archive, "whole", DType.F32, new long[] {4, 3}, all);
            assertTensor(archive, "tied", DType.F32, new long[] {4, 3}, all);
            assertTensor(
                    archive,
                    "rows",
                    DType.F32,
                    new long[] {2, 3},
                    1.5f,
                    2.5f,
                    3.5f,
                    4.5f,
                    5.5f,
                    6.5f);
            assertTensor(archive, "last", DType.F32, new long[] {3}, 7.5f, 8.5f, 9.5f);
        }
    }

    @Test
    void aModulesStateDictReadsThoughAttributesHangOnIt() throws IOException {
        try (TorchArchive archive = open("module.bin")) {
            assertEquals(Set.of("weight", "bias"), archive.tensors().keySet());
            assertArrayEquals(new long[] {2, 3}, archive.tensors().get("weight").shape());
        }
    }

    @Test
    void aStateDictIsFoundInsideATrainingCheckpoint() throws IOException {
        try (TorchArchive archive = open("nested.bin")) {
            assertEquals(Set.of("w"), archive.tensors().keySet());
            assertTensor(archive, "w", DType.F32, new long[] {2}, -1.5f, -.5f);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "transposed.bin | tensor turned of shape [3, 2] is not contiguous; save its contiguous() instead",
                "columns.bin | tensor part of shape [2, 2] is not contiguous; save its contiguous() instead",
                "broadcast.bin | tensor same has shape [4], but its storage has 1 elements",
                "scalar.bin | tensor one has 0 dimensions; one or two fit",
                "empty.bin | tensor none has shape [0, 3], but its storage has 0 elements",
                "sparse.bin | sparse/data.pkl, byte 18: the pickle names torch._utils._rebuild_sparse_tensor, which no checkpoint needs",
                "module-object.bin | module-object/data.pkl, byte 2: the pickle names torch.nn.modules.linear.Linear, which no checkpoint needs",
                "list.bin | holds a list, not a dict of tensors",
                "legacy.bin | was saved in torch's format before 1.6; load and save it again with a newer torch",
                "script.bin | zip entry script/code/__torch__/torch/nn/modules/linear.py is compressed (method 8), which torch.save never does: is it a TorchScript program? save its state_dict()",
            })
    void whatCannotBeReadIsRefusedInOneSentence(String name, String problem) throws IOException {
        Path file = copy(name);
        assertEquals(file + ": " + problem, refused(file));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | is 0 bytes long, too short for a torch archive",
                "version https://git-lfs.github.com/spec/v1 | is a git-lfs pointer, not the weights; get them with git lfs pull",
                "12345678{\"w\": {}} | is a safetensors file; give it a name that ends in .safetensors",
                "weights | is not a torch archive: it starts with the bytes 0x77656967",
            })
    void whatIsNoArchiveIsToldByItsBeginning(String text, String problem) throws IOException {
        Path file = Files.writeString(folder.resolve("model.bin"), text);
        assertEquals(file + ": " + problem, refused(file));
    }

    @Test
    void aMissingArchiveIsNamed() {
        Path file = folder.resolve("model.bin");
        assertEquals(file + ": is missing", refused(file));
    }

    private TorchArchive open(String name) throws IOException {
        return TorchArchive.open(copy(name));
    }

    private Path copy(String name) throws IOException {
        try (var in = TorchArchiveTest.class.getResourceAsStream("torch/" + name)) {
            Path file = folder.resolve(name);
            Files.copy(in, file);
            return file;
        }
    }

    private static void assertTensor(
            TorchArchive archive, String name, DType type, long[] shape, float... values)
            throws IOException {
        TensorData tensor = archive.tensors().get(name);
        assertEquals(name, tensor.name());
        assertEquals(type, tensor.type());
        assertArrayEquals(shape, tensor.shape());
        assertArrayEquals(values, Values.floats(tensor));
    }

    private static String refused(Path file) {
        return assertThrows(CheckpointException.class, () -> TorchArchive.open(file).close())
                .getMessage();
    }
}
