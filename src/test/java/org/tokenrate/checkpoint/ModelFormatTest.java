package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Formats told apart by a folder's files, and contradicted. */
class ModelFormatTest {
    private static final String AWQ = "{\"quantization_config\": {\"quant_method\": \"awq\"}}";

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HF | config.json model.safetensors",
                "HF | config.json model.safetensors.index.json tokenizer.json",
                "HF | config.json pytorch_model.bin",
                "HF | config.json pytorch_model.bin.index.json params.json",
                "LLAMA | params.json consolidated.00.pth tokenizer.model",
                "LLAMA | params.json consolidated.00.pth consolidated.01.pth config.json",
                "LLAMA | params.json consolidated.00.pth model.safetensors",
                "HF | config.json model.safetensors params.json consolidated.00.pth",
            })
    void theFormatIsFoundFromTheFiles(ModelFormat expected, String files) throws IOException {
        create(files);
        assertEquals(expected, ModelFormat.detect(folder));
        expected.requireIn(folder);
    }

    @Test
    void fourBitWeightsAreFoundByTheirConfiguration() throws IOException {
        create("model.safetensors");
        config(AWQ);
        assertEquals(ModelFormat.AWQ, ModelFormat.detect(folder));
        ModelFormat.AWQ.requireIn(folder);
    }

    @Test
    void aQuantizationThatIsNullIsNone() throws IOException {
        create("model.safetensors");
        config("{\"quantization_config\": null}");
        assertEquals(ModelFormat.HF, ModelFormat.detect(folder));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"quant_method\": \"gptq\"} | \"gptq\"",
                "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true} | \"bitsandbytes\"",
                "{\"quant_method\": \"fp8\"} | \"fp8\"",
                "{\"bits\": 4} | missing",
                "{\"quant_method\": [\"awq\"]} | [\"awq\"]",
                "true | missing",
            })
    void anotherQuantizationIsRefusedByName(String value, String named) throws IOException {
        create("model.safetensors");
        config("{\"quantization_config\": " + value + "}");
        String expected =
                "%s: quantization_config.quant_method is %s, which is not supported; supported: awq"
                        .formatted(folder.resolve("config.json"), named);
        assertEquals(expected, refused(() -> ModelFormat.detect(folder)));
        for (ModelFormat format : ModelFormat.values()) {
            assertEquals(expected, refused(() -> format.requireIn(folder)));
        }
    }

    @Test
    void metasFormatContradictsAHuggingFaceFolder() throws IOException {
        create("config.json model.safetensors");
        assertEquals(
                ("modelFormat=llama, but %s holds a Hugging Face model (config.json, "
                                + "model.safetensors); use modelFormat=hf or auto")
                        .formatted(folder),
                contradicted(ModelFormat.LLAMA));
    }

    @Test
    void huggingFacesFormatContradictsMetasFolder() throws IOException {
        create("params.json consolidated.00.pth consolidated.01.pth");
        for (ModelFormat format : new ModelFormat[] {ModelFormat.HF, ModelFormat.AWQ}) {
            assertEquals(
                    ("modelFormat=%s, but %s holds a model in Meta's layout (params.json, "
                                    + "consolidated.00.pth, consolidated.01.pth); use modelFormat=llama "
                                    + "or auto")
                            .formatted(format.label(), folder),
                    contradicted(format));
        }
    }

    @Test
    void denseAndFourBitWeightsContradictEachOther() throws IOException {
        create("config.json model.safetensors");
        assertEquals(
                ("modelFormat=awq, but %s holds a Hugging Face model (config.json, "
                                + "model.safetensors); use modelFormat=hf or auto")
                        .formatted(folder),
                contradicted(ModelFormat.AWQ));
        config(AWQ);
        assertEquals(
                ("modelFormat=hf, but %s holds a Hugging Face model of 4-bit AWQ weights "
                                + "(config.json, model.safetensors); use modelFormat=awq or auto")
                        .formatted(folder),
                contradicted(ModelFormat.HF));
    }

    @Test
    void ofTwoModelsInAFolderTheOneThatIsAskedForIsMeant() throws IOException {
        create("config.json model.safetensors params.json consolidated.00.pth");
        ModelFormat.HF.requireIn(folder);
        ModelFormat.LLAMA.requireIn(folder);
        assertEquals(
                ("modelFormat=awq, but %s holds a Hugging Face model (config.json, "
                                + "model.safetensors) and a model in Meta's layout (params.json, "
                                + "consolidated.00.pth); use modelFormat=hf or auto")
                        .formatted(folder),
                contradicted(ModelFormat.AWQ));
    }

    @Test
    void metasFilesInASubfolderArePointedOut() throws IOException {
        create("config.json model.safetensors");
        Path original = Files.createDirectory(folder.resolve("original"));
        Files.writeString(original.resolve("params.json"), "{}");
        Files.writeString(original.resolve("consolidated.00.pth"), "");
        assertEquals(ModelFormat.HF, ModelFormat.detect(folder));
        String message = contradicted(ModelFormat.LLAMA);
        assertTrue(
                message.endsWith("; its folder original holds a model in Meta's layout: give that"),
                message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "config.json | has a config.json, but no weights: model.safetensors, "
                        + "model.safetensors.index.json, pytorch_model.bin or "
                        + "pytorch_model.bin.index.json",
                "params.json | has a params.json, but no weights: consolidated.00.pth",
                "params.json consolidated.0.pth | has a params.json, but no weights: "
                        + "consolidated.00.pth",
                "model.safetensors | has model.safetensors, but no config.json",
                "consolidated.00.pth | has consolidated.00.pth, but no params.json",
                "a.gguf | holds no model: neither config.json and weights (Hugging Face) "
                        + "nor params.json and consolidated.00.pth (Meta); it has a.gguf",
                "'' | holds no model: neither config.json and weights (Hugging Face) nor "
                        + "params.json and consolidated.00.pth (Meta); it is empty",
            })
    void aFolderOfNoModelSaysWhatIsMissing(String files, String problem) throws IOException {
        create(files);
        assertEquals(folder + ": " + problem, refused(() -> ModelFormat.detect(folder)));
        for (ModelFormat format : ModelFormat.values()) {
            assertEquals(folder + ": " + problem, refused(() -> format.requireIn(folder)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsNoFolderIsRefused(ModelFormat format) throws IOException {
        Path file = Files.createFile(folder.resolve("model"));
        for (Path path : new Path[] {file, folder.resolve("none")}) {
            assertEquals(
                    path + ": is not a folder; give a model folder",
                    refused(() -> format.requireIn(path)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "[]"})
    void aConfigurationThatIsBrokenIsNamed(String text) throws IOException {
        create("model.safetensors");
        config(text);
        String message = refused(() -> ModelFormat.detect(folder));
        assertTrue(message.startsWith(folder.resolve("config.json") + ": is not "), message);
    }

    private void create(String files) throws IOException {
        for (String file : files.isEmpty() ? new String[0] : files.split(" ")) {
            Files.writeString(folder.resolve(file), file.endsWith(".json") ? "{}" : "");
        }
    }

    private void config(String text) throws IOException {
        Files.writeString(folder.resolve("config.json"), text);
    }

    private static String refused(Executable what) {
        return assertThrows(CheckpointException.class, what).getMessage();
    }

    private String contradicted(ModelFormat format) {
        return assertThrows(IllegalArgumentException.class, () -> format.requireIn(folder))
                .getMessage();
    }
}
