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
        return options(engine, model, format, tp, "auto");
    }

    private static EngineOptions options(
            String engine, String model, String format, int tp, String dtype) {
        return new EngineOptions(engine, model, format, dtype, tp, 0.5, 16, true);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "llamacpp:0 | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:9999 | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:x | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp: | builtin | hf | 1 | the number of threads must be from 1 to",
                "llamacpp:1:2 | builtin | hf | 1 | '2' is not known; known are slots=N",
                "llamacpp:slots=0 | builtin | hf | 1 | slots must be from 1 to",
                "llamacpp:slots=-1 | builtin | hf | 1 | slots must be from 1 to 512",
                "llamacpp:slots=99999999999 | builtin | hf | 1 | slots must be from 1 to 512",
                "llamacpp:slots=2:slots=4 | builtin | hf | 1 | slots is given twice",
                "llamacpp:slots=512:context=8000 | random:llama2-7b | hf | 1 | context must be from 2 to 4096",
                "llamacpp:slots=512:context=4096 | random:llama2-7b | hf | 1 | keys and values of slots=512 with context=4096 take 1026.0 GiB, but cacheCount leaves",
                "llamacpp:context=1 | builtin | hf | 1 | context must be from 2 to",
                "llamacpp:context=99999 | builtin | hf | 1 | context must be from 2 to",
                "llamacpp:kv=q8 | builtin | hf | 1 | kv must be f16 or f32",
                "llamacpp:fast=1 | builtin | hf | 1 | 'fast=1' is not known; known are slots=N, context=N and kv=",
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

    @Test
    void anUnknownTypeIsRefusedWithThoseThatAreKnown() {
        EngineOptions options = options("llamacpp", "builtin", "hf", 1, "int8");
        String message =
                assertThrows(IllegalArgumentException.class, () -> Engines.validate(options))
                        .getMessage();
        assertEquals(
                "dtype=int8 is not known to engine=llamacpp; use auto, f32, bf16 or f16", message);
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
        LlamaCppRequired.orSkip();
        Engines.validate(options("llamacpp:1", model, format, 1));
    }

    @Test
    void slotsAreAsManyAsAreInFlightAndFitTheMemory() throws IOException {
        ModelConfig model = ModelSource.of("random:tinyllama-1.1b", "hf").config();
        LlamaCppSettings few = LlamaCppSettings.of("llamacpp:1", model, 4, MUCH);
        assertEquals(4, few.slots());
        assertEquals(2048, few.context());
        assertEquals(8, LlamaCppSettings.of("llamacpp:1", model, 99, MUCH).slots());
        // 22 layers, 4 heads of 64, keys and values, 16 bits: 22,528 bytes a token.
        double memory = 3.5 * 22528 * few.totalContext() / 4;
        assertEquals(3, LlamaCppSettings.of("llamacpp:1", model, 99, memory).slots());
        assertEquals(1, LlamaCppSettings.of("llamacpp:1:kv=f32", model, 99, memory).slots());
        assertEquals(99, LlamaCppSettings.of("llamacpp:slots=99", model, 4, MUCH).slots());
        assertThrows(
                IllegalArgumentException.class,
                () -> LlamaCppSettings.of("llamacpp", model, 99, memory / 4));
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
