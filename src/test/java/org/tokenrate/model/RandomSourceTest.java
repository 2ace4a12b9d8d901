package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.builtin.Builtin;

class RandomSourceTest {
    @ParameterizedTest
    @CsvSource({
        "llama-110m, 110",
        "tinyllama-1.1b, 1100",
        "llama2-7b, 6738",
        "llama3-8b, 8030",
        "internlm-7b, 7321",
        "internlm2-7b, 7738",
        "qwen2-7b, 7616",
        "qwen3-8b, 8191",
        "builtin, 14.7"
    })
    void aNamedShapeHasThePublishedNumberOfParameters(String name, double millions)
            throws IOException {
        ModelConfig c = ModelSource.of("random:" + name, "hf").config();
        double hidden = c.hiddenSize();
        double layer =
                hidden * (2.0 * c.queryWidth() + 2.0 * c.kvWidth())
                        + 3 * hidden * c.intermediateSize();
        double tables = hidden * c.vocabularySize() * (c.tiedEmbeddings() ? 1 : 2);
        // llama-110m and the built-in model are of our own making; llama2.c calls its own 110M with
        // a tied head.
        double expected = name.equals("llama-110m") ? 134 : millions;
        assertEquals(expected, (c.layers() * layer + tables) / 1e6, expected * 0.005, name);
    }

    @Test
    void anUnknownShapeIsRefusedWithTheKnownOnes() {
        String message = refusal("random:gpt-5");
        assertTrue(message.startsWith("random:gpt-5: is neither a known shape nor"), message);
        assertTrue(message.contains("builtin, llama-110m, tinyllama-1.1b, llama2-7b"), message);
    }

    @Test
    void metaLayoutIsForLlamasOnly() throws IOException {
        ModelSource source = ModelSource.of("random:qwen2-7b", "llama");
        String message = assertThrows(IOException.class, source::config).getMessage();
        assertTrue(message.contains("Qwen2ForCausalLM"), message);
        assertTrue(message.endsWith("use hf"), message);
    }

    @Test
    void anyConfigurationCanBeTaken(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("config.json"), Builtin.configJson());
        ModelConfig builtin = ModelSource.of("random:builtin", "hf").config();
        assertEquals(builtin, ModelSource.of("random:" + file, "auto").config());
        assertEquals(builtin, ModelSource.of("random:" + folder, "auto").config());
        assertEquals(Builtin.tokenizerFolder(), ModelSource.tokenizerFolder("random:" + file));
    }

    @Test
    void aBrokenConfigurationIsNamed(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("config.json"), "{\"architectures\": [");
        ModelSource source = ModelSource.of("random:" + file, "hf");
        String message = assertThrows(IOException.class, source::config).getMessage();
        assertTrue(message.startsWith(file + ": is not JSON"), message);
    }

    @Test
    void theIdentityTellsSeedFormatAndShapeApart() throws IOException {
        String plain = identity("random:llama2-7b", "hf");
        assertEquals(plain, identity("random:llama2-7b@0", "auto"));
        assertNotEquals(plain, identity("random:llama2-7b@1", "hf"));
        assertNotEquals(plain, identity("random:llama2-7b", "awq"));
        assertNotEquals(plain, identity("random:llama3-8b", "hf"));
    }

    private static String identity(String model, String format) throws IOException {
        try (var checkpoint = ModelSource.of(model, format).open()) {
            return checkpoint.sha256();
        }
    }

    private static String refusal(String model) {
        return assertThrows(IOException.class, () -> ModelSource.of(model, "hf")).getMessage();
    }
}
