package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MetaParamsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** As Llama 3.1 8B has it. */
    private static final String GOOD =
            """
            {"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256,
             "ffn_dim_multiplier": 1.3, "multiple_of": 1024, "norm_eps": 1e-05,
             "rope_theta": 500000.0, "use_scaled_rope": true}
            """;

    @TempDir Path folder;

    @Test
    void aGoodFileIsReadKeyByKey() throws IOException {
        MetaParams params = read(GOOD);
        assertEquals(
                new MetaParams(
                        4096,
                        32,
                        32,
                        8,
                        OptionalInt.of(128256),
                        1024,
                        OptionalDouble.of(1.3),
                        1e-5f,
                        500000f,
                        true,
                        OptionalInt.empty()),
                params);
        assertEquals(128, params.headDim());
        assertEquals(14336, params.ffnWidth());
    }

    @Test
    void whatOldFilesLeaveOutHasMetasDefaults() throws IOException {
        assertEquals(
                new MetaParams(
                        64,
                        2,
                        4,
                        4,
                        OptionalInt.empty(),
                        256,
                        OptionalDouble.empty(),
                        1e-5f,
                        10000f,
                        false,
                        OptionalInt.empty()),
                read("{\"dim\": 64, \"n_layers\": 2, \"n_heads\": 4}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "null"})
    void aVocabularyMayBeLeftToTheTokenizer(String value) throws IOException {
        assertEquals(OptionalInt.empty(), read(with("vocab_size", value)).vocabularySize());
    }

    /** The widths that Hugging Face's configurations of the same models give. */
    @ParameterizedTest
    @CsvSource({
        "Llama 2 7B, 4096, 256, '', 11008",
        "Llama 2 13B, 5120, 256, '', 13824",
        "Llama 1 30B, 6656, 256, '', 17920",
        "Llama 1 65B, 8192, 256, '', 22016",
        "Llama 2 70B, 8192, 4096, 1.3, 28672",
        "Code Llama 34B, 8192, 256, 1.0, 22016",
        "Llama 3 8B, 4096, 1024, 1.3, 14336",
        "Llama 3 70B, 8192, 4096, 1.3, 28672",
        "Llama 3.1 405B, 16384, 4096, 1.2, 53248",
        "Llama 3.2 1B, 2048, 256, 1.5, 8192",
        "Llama 3.2 3B, 3072, 256, 1.0, 8192",
    })
    void theWidthOfTheMlpIsThatOfThePublishedModel(
            String model, int dim, int multipleOf, String multiplier, int width)
            throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(GOOD);
        json.put("dim", dim).put("multiple_of", multipleOf).remove("ffn_dim_multiplier");
        if (!multiplier.isEmpty()) json.put("ffn_dim_multiplier", Double.valueOf(multiplier));
        assertEquals(width, read(json.toString()).ffnWidth(), model);
    }

    static Stream<Arguments> badSizes() {
        return BadSizes.of(
                "dim",
                "n_layers",
                "n_heads",
                "n_kv_heads",
                "vocab_size",
                "multiple_of",
                "max_seq_len");
    }

    @ParameterizedTest
    @MethodSource("badSizes")
    void aSizeThatIsNoneIsNamedWithItsValue(String key, String value) throws IOException {
        assertRefused(
                with(key, value),
                key + " must be a whole number from 1 to 1048576, but is " + value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dim", "n_layers", "n_heads"})
    void aSizeThatIsMissingIsNamed(String key) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(GOOD);
        json.remove(key);
        assertRefused(
                json.toString(), key + " must be a whole number from 1 to 1048576, but is missing");
    }

    @ParameterizedTest
    @CsvSource({
        "norm_eps, 0",
        "norm_eps, -1e-5",
        "norm_eps, \"x\"",
        "rope_theta, 1e39",
        "rope_theta, false",
        "ffn_dim_multiplier, 0",
        "ffn_dim_multiplier, -1.3",
    })
    void aNumberThatMustBePositiveAndFiniteIsNamed(String key, String value) throws IOException {
        assertRefused(with(key, value), key + " must be a finite number above 0, but is ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"true\"", "{}"})
    void aSwitchThatIsNoneIsNamed(String value) throws IOException {
        assertRefused(
                with("use_scaled_rope", value),
                "use_scaled_rope must be true or false, but is " + value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "n_heads | 33 | dim=4096 is not a multiple of n_heads=33",
                "n_heads | 4096 | dim=4096 and n_heads=4096 make heads of 1, but their width must",
                "n_kv_heads | 5 | n_kv_heads=5 does not divide n_heads=32",
                "n_kv_heads | 64 | n_kv_heads=64 does not divide n_heads=32",
                "ffn_dim_multiplier | 1e-5 | dim=4096, multiple_of=1024 and ffn_dim_multiplier=",
                "ffn_dim_multiplier | 1e30 | dim=4096, multiple_of=1024 and ffn_dim_multiplier=",
            })
    void sizesThatDoNotGoTogetherAreNamed(String key, String value, String problem)
            throws IOException {
        assertRefused(with(key, value), problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "moe | {\"num_experts\":8} | {\"num_experts\":8} (a mixture of experts)",
                "quantization_args | {\"spinquant\":true} | {\"spinquant\":true} (quantised",
                "lora_args | {\"rank\":16} | {\"rank\":16} (LoRA adapters)",
                "vision_chunk_size | 448 | 448 (a vision model)",
                "sliding_window | 4096 | 4096 (Mistral's window; give",
                "use_qk_norm | true | true; known keys: dim, ffn_dim_multiplier, max_batch_size,",
                "Dim | 7 | 7; known keys: dim, ",
            })
    void aKeyThatIsNotKnownIsRefusedByName(String key, String value, String said)
            throws IOException {
        assertRefused(with(key, value), key + " is not supported: " + said);
    }

    @Test
    void aKeyThatIsNullSaysNothing() throws IOException {
        assertEquals(read(GOOD), read(with("quantization_args", "null")));
    }

    @Test
    void aKeyOrValueOfAnyLengthIsQuotedShort() throws IOException {
        String message = refused(with("k".repeat(5000), "\"" + "v".repeat(5000) + "\""));
        assertTrue(message.length() < 500 + folder.toString().length(), message);
    }

    @Test
    void aFolderWithoutTheFileIsRefused() {
        assertEquals(
                folder + ": has no params.json; give a folder in Meta's layout",
                assertThrows(CheckpointException.class, () -> MetaParams.read(folder))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{\"dim\": 1, \"dim\": 2}", "llama", "\0\0\0{\0\0\0", "{} {}"})
    void aFileThatIsNotJsonIsRefused(String text) throws IOException {
        assertRefused(text, "is not JSON: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "7", "null"})
    void aFileThatIsNoObjectIsRefused(String text) throws IOException {
        assertRefused(text, "is not a JSON object");
    }

    @Test
    void aFileThatIsTooLongIsNotRead() throws IOException {
        Path file = folder.resolve("params.json");
        try (var out = new java.io.RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(1L << 40); // sparse
        }
        String message =
                assertThrows(CheckpointException.class, () -> MetaParams.read(folder)).getMessage();
        assertEquals(file + ": is 1099511627776 bytes long, but may have 16777216", message);
    }

    /** Good files with bytes changed: each is read, with numbers in range, or refused. */
    @Test
    void aDamagedFileIsReadInRangeOrRefused() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] good = GOOD.getBytes(StandardCharsets.UTF_8);
        String values = "0123456789.-+eE{}[]\",:ntf ";
        int read = 0;
        int tries = 3000;
        for (int i = 0; i < tries; i++) {
            byte[] damaged = good.clone();
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                int at = random.nextInt(damaged.length);
                damaged[at] =
                        random.nextInt(4) == 0
                                ? (byte) random.nextInt(256)
                                : (byte) values.charAt(random.nextInt(values.length()));
            }
            Files.write(folder.resolve("params.json"), damaged);
            String what = "seed " + seed + ": " + new String(damaged, StandardCharsets.ISO_8859_1);
            try {
                MetaParams params = MetaParams.read(folder);
                read++;
                assertEquals(0, params.dim() % params.heads(), what);
                assertEquals(0, params.heads() % params.kvHeads(), what);
                assertTrue(params.headDim() >= 2 && params.headDim() % 2 == 0, what);
                assertTrue(params.ffnWidth() >= 1 && params.ffnWidth() <= 1 << 20, what);
                assertTrue(params.normEps() > 0 && params.ropeTheta() > 0, what);
            } catch (CheckpointException e) {
                assertTrue(e.getMessage().startsWith(folder + "/params.json: "), what);
            }
        }
        assertTrue(read > tries / 100 && read < tries, read + " were read, seed " + seed);
    }

    private static String with(String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(GOOD);
        json.remove(key);
        String rest = json.toString();
        return rest.substring(0, rest.length() - 1) + ", \"" + key + "\": " + value + "}";
    }

    private MetaParams read(String text) throws IOException {
        Files.write(folder.resolve("params.json"), text.getBytes(StandardCharsets.ISO_8859_1));
        return MetaParams.read(folder);
    }

    private String refused(String text) {
        return assertThrows(CheckpointException.class, () -> read(text)).getMessage();
    }

    private void assertRefused(String text, String problem) throws IOException {
        String message = refused(text);
        assertTrue(message.startsWith(folder.resolve("params.json") + ": " + problem), message);
    }
}
