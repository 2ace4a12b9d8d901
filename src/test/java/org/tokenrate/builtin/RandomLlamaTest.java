package org.tokenrate.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.ModelFormat;

class RandomLlamaTest {
    @TempDir static Path cache;

    private static JsonNode config;
    private static JsonNode header;
    private static ByteBuffer values;

    @BeforeAll
    static void read() throws IOException {
        Path model = Builtin.modelFolder(cache, ModelFormat.HF);
        config = new ObjectMapper().readTree(model.resolve("config.json").toFile());
        byte[] bytes = Files.readAllBytes(model.resolve("model.safetensors"));
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) file.getLong();
        header = new ObjectMapper().readTree(bytes, 8, length);
        values = file.slice(8 + length, bytes.length - 8 - length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void theTensorsAreThoseOfAHuggingFaceLlamaOfThisConfiguration() {
        assertEquals(1 + 2 + 3 * 9, header.size(), "metadata, two shared, nine a layer");
        Map<String, String> shapes =
                Map.of(
                        "model.embed_tokens.weight", "[4096,512]",
                        "model.layers.0.self_attn.q_proj.weight", "[512,512]",
                        "model.layers.1.self_attn.k_proj.weight", "[128,512]",
                        "model.layers.2.self_attn.o_proj.weight", "[512,512]",
                        "model.layers.2.mlp.gate_proj.weight", "[2304,512]",
                        "model.layers.2.mlp.down_proj.weight", "[512,2304]",
                        "model.layers.2.post_attention_layernorm.weight", "[512]",
                        "model.norm.weight", "[512]");
        shapes.forEach(
                (name, shape) -> {
                    assertEquals(shape, header.get(name).get("shape").toString(), name);
                    assertEquals("BF16", header.get(name).get("dtype").asText(), name);
                });
        assertEquals(14.7e6, values.capacity() / 2.0, 0.1e6);
    }

    @Test
    void weightsAreSpreadSoThatActivationsKeepTheirScale() {
        assertDistribution("model.embed_tokens.weight", 0, 1 / Math.sqrt(512));
        assertDistribution("model.layers.0.self_attn.v_proj.weight", 0, 1 / Math.sqrt(512));
        assertDistribution("model.layers.2.mlp.down_proj.weight", 0, 1 / Math.sqrt(2304));
        assertDistribution("model.layers.2.input_layernorm.weight", 1, 0.1);
    }

    private static void assertDistribution(String name, double mean, double deviation) {
        JsonNode offsets = header.get(name).get("data_offsets");
        int from = offsets.get(0).asInt();
        int count = (offsets.get(1).asInt() - from) / 2;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < count; i++) {
            float value = Float.intBitsToFloat(values.getShort(from + 2 * i) << 16);
            assertTrue(Float.isFinite(value));
            sum += value;
            squares += (value - mean) * (value - mean);
        }
        assertEquals(mean, sum / count, 5 * deviation / Math.sqrt(count), name);
        assertEquals(deviation, Math.sqrt(squares / count), 0.12 * deviation, name);
    }

    @Test
    void configurationAndTokenizerAgree() {
        assertEquals(TokenizerTraining.VOCABULARY, config.get("vocab_size").asInt());
        assertEquals(TokenizerTraining.BEGIN_ID, config.get("bos_token_id").asInt());
        assertEquals(TokenizerTraining.END_ID, config.get("eos_token_id").asInt());
    }
}
