package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestParametersTest {
    @Test
    void theDefaultsAreValid() {
        RequestParameters p = RequestParameters.of(values("concurrency", "256")::get);
        assertEquals(256, p.concurrency());
        assertEquals(0.8, p.topP());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    concurrency  | 0       | must be from 1 to 100000, e.g. -p concurrency=16
                    concurrency  | 100001  | must be from 1 to 100000, e.g. -p concurrency=16
                    concurrency  | many    | must be from 1 to 100000, e.g. -p concurrency=16
                    numPrompts   | 0       | must be from 1 to 10000000, e.g. -p numPrompts=1000
                    tp           | 3       | must be a power of two from 1 to 64, e.g. -p tp=2
                    tp           | 128     | must be a power of two from 1 to 64, e.g. -p tp=2
                    topK         | -1      | must be from 0 to 1000000, e.g. -p topK=40
                    topP         | 0       | must be a number in (0, 1], e.g. -p topP=0.8
                    topP         | 1.1     | must be a number in (0, 1], e.g. -p topP=0.8
                    topP         | NaN     | must be a number in (0, 1], e.g. -p topP=0.8
                    temperature  | -0.1    | must be a number in [0, 100], e.g. -p temperature=0.8
                    temperature  | warm    | must be a number in [0, 100], e.g. -p temperature=0.8
                    cacheCount   | 1       | must be a number in (0, 1), e.g. -p cacheCount=0.5
                    seed         | 1.5     | must be a whole number of 64 bits, e.g. -p seed=0
                    streamOutput | yes     | must be one of true, false, e.g. -p streamOutput=true
                    modelFormat  | onnx    | must be one of hf, llama, awq, auto, e.g. -p modelFormat=hf
                    logLevel     | loud    | must be one of ERROR, WARN, INFO, DEBUG, TRACE, e.g. -p logLevel=ERROR
                    dtype        | int3    | must be one of auto, f32, bf16, f16, e.g. -p dtype=auto
                    sampling     | first   | must be one of shuffle, presample, e.g. -p sampling=shuffle
                    cudaGraphs   | yes     | must be one of true, false, e.g. -p cudaGraphs=true
                    model        | ''      | must not be empty, e.g. -p model=builtin
                    dataset      | output:3 | must be output:TOKENS[@FILE], from 4 to 1000000 tokens, e.g. -p dataset=random:512/128
                    dataset      | random:5 | must be random:IN/OUT[/RATIO][@FILE], lengths from 1 to 1000000 tokens and a ratio in [0, 1], e.g. -p dataset=random:512/128
                    """)
    void aBadValueIsRefusedWithItsRangeAndAnExample(String name, String value, String message) {
        assertEquals(name + "=" + value + " " + message, refusal(name, value));
    }

    @Test
    void aMissingModelFolderIsRefused(@TempDir Path folder) {
        String missing = folder.resolve("llama").toString();
        assertEquals(
                "model="
                        + missing
                        + " is not a folder; give builtin, random:SHAPE (such as random:llama2-7b),"
                        + " or a model's folder, e.g. -p model=models/my-llama",
                refusal("model", missing));
    }

    @Test
    void aMissingDatasetIsRefused(@TempDir Path folder) {
        String missing = folder.resolve("sharegpt.json").toString();
        assertEquals(
                "dataset="
                        + missing
                        + " is not a readable file; give builtin, or a ShareGPT json file, e.g. -p"
                        + " dataset=data/ShareGPT_V3_unfiltered_cleaned_split.json",
                refusal("dataset", missing));
    }

    @Test
    void aFolderIsNoDataset(@TempDir Path folder) {
        assertEquals(
                "dataset="
                        + folder
                        + " is a folder; give a file, e.g. -p dataset=data/sharegpt.json",
                refusal("dataset", folder.toString()));
    }

    @Test
    void aModelFolderAndADatasetThatAreThereAreTaken(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("d.json"), "[]");
        Map<String, String> values = values("model", folder.toString());
        values.put("dataset", file.toString());
        assertEquals(folder.toString(), RequestParameters.of(values::get).model());
    }

    @Test
    void anUnknownEngineIsRefusedWithTheKnownOnes() {
        String message = refusal("engine", "warp");
        assertEquals("engine=warp is not known; known are auto, ", message.substring(0, 42));
    }

    private static String refusal(String name, String value) {
        Map<String, String> values = values(name, value);
        return assertThrows(IllegalArgumentException.class, () -> RequestParameters.of(values::get))
                .getMessage();
    }

    private static Map<String, String> values(String name, String value) {
        var values =
                new HashMap<>(
                        Map.of(
                                "engine", "simulated:1ms:1ms",
                                "model", "builtin",
                                "modelFormat", "hf",
                                "dataset", "builtin",
                                "numPrompts", "5000",
                                "concurrency", "256",
                                "tp", "1",
                                "topK", "1",
                                "topP", "0.8",
                                "temperature", "0.8"));
        values.putAll(
                Map.of(
                        "streamOutput", "true",
                        "seed", "0",
                        "cacheCount", "0.5",
                        "logLevel", "ERROR",
                        "dtype", "auto",
                        "sampling", "shuffle",
                        "cudaGraphs", "true"));
        values.put(name, value);
        return values;
    }
}
