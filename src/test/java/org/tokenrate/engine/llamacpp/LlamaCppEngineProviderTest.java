package org.tokenrate.engine.llamacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.ModelSource;

class LlamaCppEngineProviderTest {
    private static final double MUCH = 1e15;

    private static EngineOptions options(String engine, String model, String format, int tp) {
        return new EngineOptions(engine, model, format, "auto", tp, 0.5, 16, true);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "llamacpp:0 | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:9999 | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:x | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp: | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:1:2 | builtin | hf | 1 | 2 is not known; known are slots=N and context=N",
                "llamacpp:slots=0 | builtin | hf | 1 | slots must be from 1 to",
                "llamacpp:context=99999 | builtin | hf | 1 | context must be from 1 to",
                "llamacpp | builtin | awq | 1 | modelFormat=awq: llama.cpp does not know",
                "llamacpp | builtin | hf | 2 | tp=2: engine=llamacpp has no tensor parallelism",
                "llamacpp | random:qwen3-8b | hf | 1 | older than Qwen3ForCausalLM",
                "llamacpp:context=40000 | random:internlm2-7b | hf | 1 | no rope scaling like dynamic",
                "llamacpp | random:nothing | hf | 1 | is neither a known shape nor a config.json",
            })
    void whatLlamaCppCannotDoIsRefusedBeforeAnythingIsLoaded(
            String engine, String model, String format, int tp, String why) {
        EngineOptions options = options(engine, model, format, tp);
        String message =
                assertThrows(IllegalArgumentException.class, () -> Engines.validate(options))
                        .getMessage();
        assertTrue(message.contains(why), message);
    }

    @ParameterizedTest
    @CsvSource({
        "builtin, llama",
        "random:tinyllama-1.1b, hf",
        "random:llama-110m, auto",
        "random:internlm2-7b, hf",
        "random:llama3-8b, hf",
        "random:qwen2-7b, hf"
    })
    void otherModelsAreTaken(String model, String format) {
        Engines.validate(options("llamacpp:1", model, format, 1));
    }

    @Test
    void slotsAreAsManyAsAreInFlightAndFitTheMemory() throws IOException {
        ModelConfig model = ModelSource.of("random:tinyllama-1.1b", "hf").config();
        LlamaCppSettings few = LlamaCppSettings.of("llamacpp:1", model, false, 4, MUCH);
        assertEquals(4, few.slots());
        assertEquals(2048, few.context());
        // 22 layers, 4 heads of 64, keys and values, 16 bits: 22,528 bytes a token.
        double memory = 3.5 * 22528 * few.totalContext() / 4;
        assertEquals(3, LlamaCppSettings.of("llamacpp:1", model, false, 99, memory).slots());
        assertEquals(1, LlamaCppSettings.of("llamacpp:1", model, true, 99, memory / 7).slots());
        assertEquals(99, LlamaCppSettings.of("llamacpp:slots=99", model, false, 4, memory).slots());
    }

    /** One file hides the other on the class path. */
    @Test
    void theEnginesOfTheBenchmarksAreThoseOfTheLibraryAndOneMore() throws IOException {
        String services = "resources/META-INF/services/org.tokenrate.engine.EngineProvider";
        var all = new TreeSet<>(Files.readAllLines(Path.of("src/main", services)));
        all.add(LlamaCppEngineProvider.class.getName());
        assertEquals(all, new TreeSet<>(Files.readAllLines(Path.of("src/jmh", services))));
    }
}
