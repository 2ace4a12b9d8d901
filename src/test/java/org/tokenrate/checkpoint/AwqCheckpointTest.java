package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** AWQ folders: one that torch packed (resources {@code awq/make.py}), damaged ones, and ours. */
class AwqCheckpointTest {
    private static final String LAYER = "model.layers.0.mlp.up_proj";
    private static final int OUTPUTS = 24;
    private static final int INPUTS = 96;

    @TempDir Path folder;

    @Test
    void whatTorchPackedIsReadAsTorchDequantisesIt() throws IOException {
        torchFolder();
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder);
                Safetensors expected = Safetensors.open(folder.resolve("expected.st"))) {
            assertEquals(Set.of(LAYER + ".weight", LAYER + ".bias"), checkpoint.names());
            AwqData data =
                    assertInstanceOf(AwqData.class, checkpoint.linear(LAYER, OUTPUTS, INPUTS));
            assertArrayEquals(floats(expected, "dequantised"), AwqNumbers.of(data));
            assertEquals(DType.F16, checkpoint.tensor(LAYER + ".bias", OUTPUTS).type());
        }
    }

    @Test
    void someInputsOfALayerAreTheSameNumbersAndGroupsStayWhole() throws IOException {
        torchFolder();
        assertEquals(32, AwqCheckpoint.groupSize(folder));
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder)) {
            LinearData layer = checkpoint.linear(LAYER, OUTPUTS, INPUTS);
            float[] whole = AwqNumbers.of((AwqData) layer);
            for (int[] range : new int[][] {{0, 32}, {32, 96}, {64, 96}, {0, 96}}) {
                AwqData part = (AwqData) layer.sliceInputs(range[0], range[1]);
                int width = range[1] - range[0];
                assertEquals(width, part.inputs());
                assertEquals(OUTPUTS, part.outputs());
                float[] got = AwqNumbers.of(part);
                for (int o = 0; o < OUTPUTS; o++) {
                    for (int i = 0; i < width; i++) {
                        assertEquals(whole[o * INPUTS + range[0] + i], got[o * width + i]);
                    }
                }
            }
            for (int[] range : new int[][] {{0, 16}, {16, 64}, {-32, 32}, {64, 128}, {32, 32}}) {
                var e =
                        assertThrows(
                                IllegalArgumentException.class,
                                () -> layer.sliceInputs(range[0], range[1]));
                assertEquals(
                        "%s of 96 inputs in groups of 32 cannot be cut at %d and %d"
                                .formatted(LAYER, range[0], range[1]),
                        e.getMessage());
            }
            for (int[] range : new int[][] {{0, 4}, {4, 8}, {-8, 8}, {16, 32}}) {
                var e =
                        assertThrows(
                                IllegalArgumentException.class,
                                () -> layer.slice(range[0], range[1]));
                assertTrue(
                        e.getMessage().endsWith("at %d and %d".formatted(range[0], range[1])),
                        e.getMessage());
            }
        }
    }

    @Test
    void whatWeQuantiseIsWhatTorchQuantises() throws IOException {
        torchFolder();
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder);
                Safetensors expected = Safetensors.open(folder.resolve("expected.st"))) {
            AwqData theirs = (AwqData) checkpoint.linear(LAYER, OUTPUTS, INPUTS);
            AwqLayer ours = AwqLayer.quantize(floats(expected, "weight"), OUTPUTS, INPUTS, 32);
            assertArrayEquals(ints(theirs.qweight()), ours.qweight());
            assertArrayEquals(ints(theirs.qzeros()), ours.qzeros());
            float[] scales = new float[ours.scales().length];
            var halves = theirs.scales().rows(0, INPUTS / 32).asShortBuffer();
            for (int i = 0; i < scales.length; i++) scales[i] = AwqLayer.fromF16(halves.get(i));
            assertArrayEquals(scales, ours.scales());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 64, 128})
    void aDenseFolderIsConvertedWithinHalfAStep(int groupSize) throws IOException {
        long seed = 3;
        Random random = new Random(seed);
        Path dense = Files.createDirectory(folder.resolve("dense"));
        Path awq = Files.createDirectory(folder.resolve("awq"));
        Files.writeString(dense.resolve("config.json"), "{\"hidden_size\": 256}");
        float[] weights = new float[40 * 256];
        for (int i = 0; i < weights.length; i++) {
            // The second group of every row is all of one sign: zero has to stay in its range.
            double shift = i % 256 / groupSize == 1 ? 3 : 0;
            weights[i] = (float) (shift + random.nextGaussian() / 10);
        }
        List<Tensor> tensors =
                List.of(
                        new Tensor("lm_head.weight", Type.F32, 1, 3),
                        new Tensor(LAYER + ".weight", Type.F32, 40, 256));
        try (var writer =
                SafetensorsWriter.create(dense.resolve("model.safetensors"), tensors, Map.of())) {
            writer.write(new float[] {1, 2, 3});
            writer.write(weights);
        }
        AwqWriter.convert(dense, awq, groupSize);
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(awq)) {
            assertEquals(Set.of("lm_head.weight", LAYER + ".weight"), checkpoint.names());
            assertInstanceOf(DenseData.class, checkpoint.linear("lm_head", 1, 3));
            AwqData data = (AwqData) checkpoint.linear(LAYER, 40, 256);
            assertEquals(groupSize, data.groupSize());
            float[] got = AwqNumbers.of(data);
            for (int i = 0; i < got.length; i++) {
                // The zero point is rounded, too: at the range's end a weight is off by one more.
                double range = i % 256 / groupSize == 1 ? 3.6 : 1;
                assertEquals(weights[i], got[i], range / 15, i + ", seed " + seed);
            }
        }
        assertTrue(Files.readString(awq.resolve("config.json")).contains("\"hidden_size\" : 256"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | has no quantization_config",
                "nonsense | is not JSON",
                "{\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}} | quant_method gptq; known for AWQ: awq",
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 8, \"group_size\": 32}} | bits 8; known for AWQ: 4",
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"group_size\": 32}} | bits (none); known for AWQ: 4",
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": -1}} | group_size -1; known for AWQ: 32, 64 and 128",
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 32, \"version\": \"gemv\"}} | version gemv; known for AWQ: gemm",
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 32, \"zero_point\": false}} | zero_point false; known for AWQ: true",
            })
    void otherQuantisationsAreRefusedByName(String config, String message) throws IOException {
        torchFolder();
        Files.writeString(folder.resolve("config.json"), config);
        assertRefused(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"w_bit\": 4, \"q_group_size\": 32}}",
                "{\"quantization_config\": {\"quant_method\": \"AWQ\", \"bits\": 4, \"group_size\": 32, \"version\": \"GEMM\", \"modules_to_not_convert\": [\"lm_head\"]}}"
            })
    void theFieldsOtherNamesAreKnown(String config) throws IOException {
        torchFolder();
        Files.writeString(folder.resolve("config.json"), config);
        AwqCheckpoint.open(folder).close();
    }

    @Test
    void aMissingConfigurationIsRefused() throws IOException {
        torchFolder();
        Files.delete(folder.resolve("config.json"));
        assertRefused("config.json: is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"qweight", "qzeros", "scales"})
    void aMissingPartIsRefusedByName(String part) throws IOException {
        List<Tensor> tensors = new ArrayList<>(layer());
        tensors.removeIf(t -> t.name().endsWith(part));
        write(tensors);
        assertRefused("but no file has " + LAYER + "." + part);
    }

    @Test
    void aDenseWeightBesideThePackedOneIsSurplus() throws IOException {
        List<Tensor> tensors = new ArrayList<>(layer());
        tensors.add(new Tensor(LAYER + ".weight", Type.F16, OUTPUTS, INPUTS));
        write(tensors);
        assertRefused("one of them is surplus");
    }

    @Test
    void aFolderOfDenseWeightsAloneIsRefused() throws IOException {
        write(List.of(new Tensor(LAYER + ".weight", Type.F16, OUTPUTS, INPUTS)));
        assertRefused("no tensor's name ends in .qweight");
    }

    @Test
    void aGroupSizeThatTheShapesContradictIsRefusedByName() throws IOException {
        write(AwqLayer.tensors(LAYER, OUTPUTS, 128, 64));
        assertLinearRefused(
                128,
                LAYER
                        + ".qzeros has shape [2, 3], but config.json, with groups of 32, says [4, 3]");
    }

    @Test
    void aTypeThatIsNotAutoAwqsIsRefusedByName() throws IOException {
        List<Tensor> tensors = new ArrayList<>(layer().subList(0, 2));
        tensors.add(new Tensor(LAYER + ".scales", Type.BF16, INPUTS / 32, OUTPUTS));
        write(tensors);
        assertLinearRefused(INPUTS, LAYER + ".scales is of type BF16; AutoAWQ's is F16");
    }

    @Test
    void widthsThatGroupsDoNotFillAreRefused() throws IOException {
        write(layer());
        assertLinearRefused(100, "has 100 inputs and 24 outputs; groups of 32");
    }

    @Test
    void aPackedWeightIsNotATensor() throws IOException {
        write(layer());
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder)) {
            IOException e =
                    assertThrows(
                            CheckpointException.class,
                            () -> checkpoint.tensor(LAYER + ".weight", OUTPUTS, INPUTS));
            assertTrue(e.getMessage().contains("packed into 4 bits"), e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, 2e6f})
    void aWeightThatNoScaleReachesIsNotQuantised(float weight) {
        float[] rows = new float[8 * 32];
        rows[40] = weight;
        assertThrows(IllegalArgumentException.class, () -> AwqLayer.quantize(rows, 8, 32, 32));
    }

    private static List<Tensor> layer() {
        return AwqLayer.tensors(LAYER, OUTPUTS, INPUTS, 32);
    }

    /** A folder of zeros, in groups of 32. */
    private void write(List<Tensor> tensors) throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 32}}");
        Path file = folder.resolve("model.safetensors");
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (Tensor t : tensors) {
                if (t.type() == Type.I32) writer.write(new int[(int) t.size()]);
                else writer.write(new float[(int) t.size()]);
            }
        }
    }

    private void torchFolder() throws IOException {
        for (String name : List.of("config.json", "model.safetensors")) {
            copy(name, folder.resolve(name));
        }
        copy("expected.safetensors", folder.resolve("expected.st"));
    }

    private static void copy(String resource, Path to) throws IOException {
        try (InputStream in = AwqCheckpointTest.class.getResourceAsStream("awq/" + resource)) {
            Files.copy(in, to);
        }
    }

    private void assertRefused(String message) {
        IOException e =
                assertThrows(CheckpointException.class, () -> AwqCheckpoint.open(folder).close());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    private void assertLinearRefused(long inputs, String message) throws IOException {
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder)) {
            IOException e =
                    assertThrows(
                            CheckpointException.class,
                            () -> checkpoint.linear(LAYER, OUTPUTS, inputs));
            assertTrue(e.getMessage().contains(message), e.getMessage());
        }
    }

    private static float[] floats(Safetensors file, String name) throws IOException {
        TensorData tensor = file.tensors().get(name);
        FloatBuffer buffer = tensor.rows(0, tensor.rowCount()).asFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static int[] ints(TensorData tensor) throws IOException {
        var buffer = tensor.rows(0, tensor.rowCount()).asIntBuffer();
        int[] values = new int[buffer.remaining()];
        buffer.get(values);
        return values;
    }
}
