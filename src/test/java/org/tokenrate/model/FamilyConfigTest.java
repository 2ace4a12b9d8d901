package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/** What families have beyond Llama, their defaults, and rope scaling in its three spellings. */
class FamilyConfigTest {
    /** A configuration with nothing but what each must have, and the fields given. */
    private static String json(String architecture, String fields) {
        return """
                {"architectures": ["%s"], "hidden_size": 64, "num_hidden_layers": 4,
                 "num_attention_heads": 32, "intermediate_size": 172, "vocab_size": 320,
                 "max_position_embeddings": 2048 %s}
                """
                .formatted(architecture, fields.isEmpty() ? "" : ", " + fields);
    }

    private static ModelConfig read(String architecture, String fields) throws IOException {
        byte[] text = json(architecture, fields).getBytes(StandardCharsets.UTF_8);
        return ModelConfig.parse(Path.of("here/config.json"), text);
    }

    private static void assertRefused(String architecture, String fields, String problem) {
        String message =
                assertThrows(CheckpointException.class, () -> read(architecture, fields))
                        .getMessage();
        assertEquals(Path.of("here/config.json") + ": " + problem, message);
    }

    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, 32, 2, false, false, false",
        "InternLMForCausalLM, 32, 2, true, true, false",
        "InternLM2ForCausalLM, 32, 2, true, true, false",
        "MistralForCausalLM, 8, 2, false, false, false",
        "Qwen2ForCausalLM, 32, 2, true, false, false",
        "Qwen3ForCausalLM, 32, 128, false, false, true",
    })
    void whatAFileLeavesOutIsAsTheFamilySays(
            String name, int kvHeads, int headDim, boolean qkv, boolean output, boolean norms)
            throws IOException {
        ModelConfig config = read(name, "");
        assertEquals(name, config.architecture().label());
        SlidingWindow window =
                name.startsWith("Mistral") ? SlidingWindow.of(4096, 0, 4) : SlidingWindow.NONE;
        assertEquals(
                new AttentionConfig(32, kvHeads, headDim, qkv, output, norms, window),
                config.attention());
        assertEquals(1e-6f, config.rmsNormEps());
        assertEquals(new Rope(10000, RopeScaling.NONE), config.rope());
        assertEquals(2048, config.maxPositions());
        assertEquals(false, config.tiedEmbeddings());
        assertEquals(false, config.mlpBias());
    }

    @Test
    void biasesAreSwitchedByTheFieldOfTheFamily() throws IOException {
        AttentionConfig llama = read("LlamaForCausalLM", "\"attention_bias\": true").attention();
        assertTrue(llama.qkvBias() && llama.outputBias());
        assertTrue(read("LlamaForCausalLM", "\"mlp_bias\": true").mlpBias());
        AttentionConfig qwen3 = read("Qwen3ForCausalLM", "\"attention_bias\": true").attention();
        assertTrue(qwen3.qkvBias() && qwen3.outputBias());
        for (String name : new String[] {"InternLMForCausalLM", "InternLM2ForCausalLM"}) {
            AttentionConfig without = read(name, "\"bias\": false").attention();
            assertEquals(AttentionConfig.plain(32, 32, 2), without);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "LlamaForCausalLM | attention_bias | 1",
                "LlamaForCausalLM | mlp_bias | \"yes\"",
                "InternLMForCausalLM | bias | 0",
                "Qwen2ForCausalLM | use_sliding_window | []",
                "LlamaForCausalLM | tie_word_embeddings | \"false\"",
            })
    void aSwitchThatIsNeitherOnNorOffIsNamed(String architecture, String field, String value) {
        assertRefused(
                architecture,
                "\"%s\": %s".formatted(field, value),
                field + " must be true or false, but is " + value);
    }

    @Test
    void mistralHasAWindowUnlessItsFileSaysNull() throws IOException {
        assertEquals(
                SlidingWindow.of(1000, 0, 4),
                read("MistralForCausalLM", "\"sliding_window\": 1000").attention().window());
        assertEquals(
                SlidingWindow.NONE,
                read("MistralForCausalLM", "\"sliding_window\": null").attention().window());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Qwen2ForCausalLM", "Qwen3ForCausalLM"})
    void qwenHasAWindowInItsUpperLayersIfItIsUsed(String name) throws IOException {
        String use = "\"use_sliding_window\": true, \"sliding_window\": 1000";
        SlidingWindow window = read(name, use + ", \"max_window_layers\": 3").attention().window();
        assertEquals(new SlidingWindow(1000, Set.of(3)), window);
        assertEquals(Integer.MAX_VALUE, window.tokens(2));
        assertEquals(1000, window.tokens(3));
        assertEquals(SlidingWindow.NONE, read(name, use).attention().window());
        assertEquals(
                SlidingWindow.of(1000, 0, 4),
                read(name, use + ", \"max_window_layers\": 0").attention().window());
        assertEquals(
                SlidingWindow.NONE,
                read(name, "\"sliding_window\": 1000, \"max_window_layers\": 0")
                        .attention()
                        .window());
    }

    @Test
    void layerTypesSayWhichLayersHaveAWindow() throws IOException {
        String types =
                "\"layer_types\": [\"sliding_attention\", \"full_attention\","
                        + " \"sliding_attention\", \"full_attention\"]";
        assertEquals(
                new SlidingWindow(7, Set.of(0, 2)),
                read("MistralForCausalLM", "\"sliding_window\": 7, " + types).attention().window());
        assertRefused(
                "MistralForCausalLM",
                "\"layer_types\": [\"full_attention\"]",
                "layer_types must be a list of num_hidden_layers=4 types, but is"
                        + " [\"full_attention\"]");
        assertRefused(
                "MistralForCausalLM",
                types.replaceFirst("full_attention", "linear_attention"),
                "layer_types has \"linear_attention\"; known: full_attention, sliding_attention");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1.5", "\"7\"", "4294967298"})
    void aWindowThatIsNoneIsNamed(String window) {
        assertRefused(
                "MistralForCausalLM",
                "\"sliding_window\": " + window,
                "sliding_window must be a whole number from 1 to 1048576, but is " + window);
    }

    @Test
    void linearScalingStretchesTheContext() throws IOException {
        ModelConfig config =
                read("LlamaForCausalLM", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}");
        assertEquals(new Rope(10000, new RopeScaling.Linear(4)), config.rope());
        assertEquals(8192, config.maxPositions());
    }

    @Test
    void dynamicScalingStretchesTheContext() throws IOException {
        ModelConfig config =
                read(
                        "LlamaForCausalLM",
                        "\"head_dim\": 8,"
                                + " \"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 1.5}");
        assertEquals(new Rope(10000, new RopeScaling.DynamicNtk(1.5, 2048)), config.rope());
        assertEquals(3072, config.maxPositions());
    }

    @Test
    void dynamicScalingByOneIsNone() throws IOException {
        ModelConfig config =
                read(
                        "InternLM2ForCausalLM",
                        "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 1.0}");
        assertEquals(new Rope(10000, RopeScaling.NONE), config.rope());
        assertEquals(2048, config.maxPositions());
    }

    @Test
    void internLmsOwnRotaryIsRead() throws IOException {
        ModelConfig stretched =
                read(
                        "InternLMForCausalLM",
                        "\"head_dim\": 8, \"rotary\": {\"base\": 20000, \"type\": \"dynamic\", \"scaling_factor\": 2}");
        assertEquals(new Rope(20000, new RopeScaling.DynamicNtk(2, 2048)), stretched.rope());
        assertEquals(4096, stretched.maxPositions());
        ModelConfig plain =
                read("InternLMForCausalLM", "\"rotary\": {\"base\": 500, \"type\": \"origin\"}");
        assertEquals(new Rope(500, RopeScaling.NONE), plain.rope());
        assertRefused(
                "InternLMForCausalLM",
                "\"rotary\": {\"type\": \"new\"}",
                "rotary.type \"new\" is not supported; supported: origin, dynamic");
    }

    @Test
    void ropeParametersHoldTheThetaToo() throws IOException {
        assertEquals(
                new Rope(500000, new RopeScaling.Llama3(32, 1, 4, 8192)),
                read(
                                "LlamaForCausalLM",
                                """
                                "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0,
                                 "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                 "original_max_position_embeddings": 8192}
                                """)
                        .rope());
        assertEquals(
                new Rope(7, RopeScaling.NONE),
                read(
                                "LlamaForCausalLM",
                                "\"rope_parameters\": {\"rope_type\": \"default\","
                                        + " \"rope_theta\": 7}")
                        .rope());
        assertRefused(
                "LlamaForCausalLM",
                "\"rope_parameters\": {\"rope_theta\": 7},"
                        + " \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}",
                "has both rope_parameters and another rope_scaling");
        assertRefused(
                "LlamaForCausalLM",
                "\"rope_parameters\": {\"partial_rotary_factor\": 0.25}",
                "rope_parameters.partial_rotary_factor is not supported: 0.25");
    }

    @ParameterizedTest
    @ValueSource(strings = {"yarn", "longrope", "su", "mrope", "proportional"})
    void anUnknownScalingIsRefusedByNameWithTheKnown(String type) {
        for (String field : new String[] {"type", "rope_type"}) {
            assertRefused(
                    "Qwen2ForCausalLM",
                    "\"rope_scaling\": {\"%s\": \"%s\", \"factor\": 4}".formatted(field, type),
                    "rope_scaling.%s \"%s\" is not supported; supported: default, linear, dynamic,"
                                    .formatted(field, type)
                            + " llama3");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"linear\" | rope_scaling must be an object, but is \"linear\"",
                "{\"factor\": 2} | rope_scaling.rope_type is missing; supported: default, linear,"
                        + " dynamic, llama3",
                "{\"type\": \"default\", \"mrope_section\": [16, 24]} |"
                        + " rope_scaling.mrope_section is not supported: [16,24]",
                "{\"type\": \"linear\"} | rope_scaling.factor must be a finite number above 0, but"
                        + " is missing",
                "{\"type\": \"linear\", \"factor\": 0.5} | rope_scaling.factor must be at least 1,"
                        + " but is 0.5",
                "{\"type\": \"dynamic\", \"factor\": 1e30} | max_position_embeddings=2048 times a"
                        + " factor of 1.0E30 is more than 1048576",
                "{\"type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4,"
                        + " \"high_freq_factor\": 4} | rope_scaling.low_freq_factor=4.0 must be"
                        + " below high_freq_factor=4.0",
                "{\"type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1,"
                        + " \"high_freq_factor\": 4} |"
                        + " rope_scaling.original_max_position_embeddings must be a whole number"
                        + " from 1 to 1048576, but is missing",
            })
    void aScalingThatCannotBeComputedIsRefused(String scaling, String problem) {
        String fields = "\"head_dim\": 8, \"rope_scaling\": " + scaling;
        String message =
                assertThrows(CheckpointException.class, () -> read("LlamaForCausalLM", fields))
                        .getMessage();
        assertTrue(message.startsWith(Path.of("here/config.json") + ": "), message);
        assertTrue(message.contains(problem), message);
    }

    @Test
    void dynamicScalingOfHeadsOfTwoIsRefused() {
        assertRefused(
                "LlamaForCausalLM",
                "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}",
                "dynamic rope scaling needs a head_dim of 4, but it is 2");
    }

    @Test
    void anotherQuantizationThanAwqIsRefusedByName() throws IOException {
        assertRefused(
                "LlamaForCausalLM",
                "\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}",
                "quantization_config's quant_method gptq is not known; known: awq");
        assertEquals(
                read("LlamaForCausalLM", ""),
                read("LlamaForCausalLM", "\"quantization_config\": {\"quant_method\": \"awq\"}"));
    }

    @Test
    void textBehindTheObjectIsRefused() {
        byte[] text = (json("LlamaForCausalLM", "") + "{}").getBytes(StandardCharsets.UTF_8);
        String message =
                assertThrows(
                                CheckpointException.class,
                                () -> ModelConfig.parse(Path.of("config.json"), text))
                        .getMessage();
        assertTrue(message.startsWith("config.json: is not JSON: "), message);
    }

    @Test
    void nestingWithoutEndIsRefused() {
        byte[] text =
                ("{\"a\": " + "[".repeat(5000) + "]".repeat(5000) + "}")
                        .getBytes(StandardCharsets.UTF_8);
        String message =
                assertThrows(
                                CheckpointException.class,
                                () -> ModelConfig.parse(Path.of("config.json"), text))
                        .getMessage();
        assertTrue(message.startsWith("config.json: is not JSON: "), message);
    }

    @Test
    void aFileOfMoreThanAMebibyteIsRefused() {
        byte[] text = ("{\"a\": \"" + "x".repeat(1 << 20) + "\"}").getBytes(StandardCharsets.UTF_8);
        String message =
                assertThrows(
                                CheckpointException.class,
                                () -> ModelConfig.parse(Path.of("config.json"), text))
                        .getMessage();
        assertEquals(
                "config.json: has more than 1048576 bytes; no model's configuration has", message);
    }
}
