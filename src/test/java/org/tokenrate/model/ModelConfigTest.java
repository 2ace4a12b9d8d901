package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.BadSizes;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

class ModelConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String GOOD =
            """
            {"architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": 64,
             "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2,
             "intermediate_size": 172, "vocab_size": 320, "max_position_embeddings": 2048,
             "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "rope_scaling": null,
             "tie_word_embeddings": true, "attention_bias": false, "mlp_bias": false,
             "eos_token_id": 2, "torch_dtype": "bfloat16"}
            """;

    @TempDir Path folder;

    @Test
    void aGoodConfigurationIsReadFieldByField() throws IOException {
        assertEquals(
                new ModelConfig(
                        Architecture.LLAMA,
                        64,
                        3,
                        AttentionConfig.plain(8, 2, 8),
                        172,
                        false,
                        320,
                        2048,
                        1e-5f,
                        new Rope(500000f, RopeScaling.NONE),
                        true,
                        List.of(2)),
                read(good()));
    }

    @Test
    void optionalFieldsHaveTheDefaultsOfTheArchitecture() throws IOException {
        ObjectNode json = good();
        json.remove(
                List.of(
                        "hidden_act",
                        "num_key_value_heads",
                        "rms_norm_eps",
                        "rope_theta",
                        "rope_scaling",
                        "tie_word_embeddings",
                        "attention_bias",
                        "mlp_bias",
                        "eos_token_id"));
        assertEquals(
                new ModelConfig(
                        Architecture.LLAMA,
                        64,
                        3,
                        AttentionConfig.plain(8, 8, 8),
                        172,
                        false,
                        320,
                        2048,
                        1e-6f,
                        new Rope(10000f, RopeScaling.NONE),
                        false,
                        List.of()),
                read(json));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "num_key_value_heads",
                "head_dim",
                "rms_norm_eps",
                "rope_theta",
                "rope_scaling",
                "quantization_config",
                "eos_token_id",
            })
    void nullIsTheSameAsAbsent(String field) throws IOException {
        ObjectNode absent = good();
        absent.remove(field);
        ObjectNode isNull = good();
        isNull.putNull(field);
        assertEquals(read(absent), read(isNull));
    }

    @Test
    void anExplicitHeadWidthNeedNotMatchTheHiddenSize() throws IOException {
        ObjectNode json = good();
        json.put("head_dim", 48).put("hidden_size", 60);
        assertEquals(48, read(json).headDim());
        assertEquals(8 * 48, read(json).queryWidth());
        assertEquals(2 * 48, read(json).kvWidth());
        assertEquals(12 * 48, read(json).qkvWidth());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"7 | 7", "[7] | 7", "[128001, 128009] | 128001 128009", "[] | ''", "0 | 0"})
    void endTokensAreANumberOrAList(String json, String ids) throws IOException {
        List<Integer> expected = new ArrayList<>();
        for (String id : ids.isEmpty() ? new String[0] : ids.split(" ")) {
            expected.add(Integer.valueOf(id));
        }
        assertEquals(expected, read(with("eos_token_id", json)).eosTokens());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"2\"", "2.5", "-1", "[1, \"2\"]", "[[1]]", "{}", "4294967298"})
    void endTokensThatAreNoIdsAreRefused(String value) throws IOException {
        assertRefused(with("eos_token_id", value), "eos_token_id must be a token id");
    }

    static Stream<Arguments> badSizes() {
        return BadSizes.of(
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "num_key_value_heads",
                "head_dim",
                "intermediate_size",
                "vocab_size",
                "max_position_embeddings");
    }

    @ParameterizedTest
    @MethodSource("badSizes")
    void aSizeThatIsNoneIsNamedWithItsValue(String field, String value) throws IOException {
        assertRefused(
                with(field, value),
                field + " must be a whole number from 1 to 1048576, but is " + value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "intermediate_size",
                "vocab_size",
                "max_position_embeddings",
            })
    void aSizeThatIsMissingIsNamed(String field) throws IOException {
        ObjectNode json = good();
        json.remove(field);
        assertRefused(json, field + " must be a whole number from 1 to 1048576, but is missing");
    }

    @ParameterizedTest
    @CsvSource({
        "rms_norm_eps, 0",
        "rms_norm_eps, -1",
        "rms_norm_eps, \"x\"",
        "rms_norm_eps, 1e400",
        "rope_theta, 0",
        "rope_theta, 1e39",
        "rope_theta, false",
    })
    void aNumberThatMustBePositiveAndFiniteIsNamed(String field, String value) throws IOException {
        assertRefused(with(field, value), field + " must be a finite number above 0, but is ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[\"Qwen2MoeForCausalLM\"] | Qwen2MoeForCausalLM",
                "[] | (none)",
                "\"LlamaForCausalLM\" | (none)",
            })
    void anUnknownArchitectureIsNamedWithTheKnown(String value, String named) throws IOException {
        assertRefused(
                with("architectures", value),
                "architecture "
                        + named
                        + " is not known; known: LlamaForCausalLM, InternLMForCausalLM, "
                        + "InternLM2ForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "clip_qkv | 8.0",
                "num_local_experts | 8",
                "num_experts | 60",
                "partial_rotary_factor | 0.5",
                "attn_logit_softcapping | 50.0",
            })
    void whatTheModelDoesNotComputeIsRefusedByName(String field, String value) throws IOException {
        assertRefused(with(field, value), field + " is not supported: " + value);
    }

    @Test
    void anotherActivationIsRefused() throws IOException {
        assertRefused(with("hidden_act", "\"gelu\""), "hidden_act gelu is not silu");
    }

    @Test
    void keyValueHeadsThatDoNotDivideTheHeadsAreRefused() throws IOException {
        assertRefused(
                with("num_key_value_heads", "3"),
                "num_key_value_heads=3 does not divide num_attention_heads=8");
        assertRefused(
                with("num_key_value_heads", "16"),
                "num_key_value_heads=16 does not divide num_attention_heads=8");
    }

    @Test
    void anOddHeadWidthIsRefused() throws IOException {
        assertRefused(with("head_dim", "7"), "head_dim=7 must be even");
        assertRefused(with("hidden_size", "24"), "head_dim=3 must be even");
    }

    @Test
    void aHiddenSizeThatTheHeadsDoNotDivideIsRefused() throws IOException {
        assertRefused(
                with("hidden_size", "68"),
                "hidden_size=68 is not a multiple of num_attention_heads=8");
    }

    @Test
    void headsThatAreTooWideTogetherAreRefused() throws IOException {
        assertRefused(with("head_dim", "1048576"), "8 heads of 1048576 are too wide");
    }

    @Test
    void aFolderWithoutAConfigurationIsRefused() {
        assertEquals(
                folder + ": has no config.json; give a model folder",
                assertThrows(CheckpointException.class, () -> ModelConfig.read(folder))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{", "{\"hidden_size\": }", "llama", "\0\0\0{\0\0\0", "{\"a\": \"\u00ff\"}"})
    void aFileThatIsNotJsonIsRefused(String text) throws IOException {
        assertRefused(text.getBytes(StandardCharsets.ISO_8859_1), "is not JSON: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "[]", "7", "\"LlamaForCausalLM\"", "null"})
    void aFileThatIsNoObjectIsRefused(String text) throws IOException {
        assertRefused(text.getBytes(StandardCharsets.UTF_8), "is not a JSON object");
    }

    private static ObjectNode good() throws IOException {
        return (ObjectNode) JSON.readTree(GOOD);
    }

    private static String with(String field, String value) throws IOException {
        ObjectNode json = good();
        json.remove(field);
        String rest = json.toString();
        return rest.substring(0, rest.length() - 1) + ", \"" + field + "\": " + value + "}";
    }

    private ModelConfig read(Object json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json.toString());
        return ModelConfig.read(folder);
    }

    private void assertRefused(Object json, String problem) throws IOException {
        assertRefused(json.toString().getBytes(StandardCharsets.UTF_8), problem);
    }

    private void assertRefused(byte[] text, String problem) throws IOException {
        Path file = Files.write(folder.resolve("config.json"), text);
        String message =
                assertThrows(CheckpointException.class, () -> ModelConfig.read(folder))
                        .getMessage();
        assertTrue(message.startsWith(file + ": " + problem), message);
    }
}
