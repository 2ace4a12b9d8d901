package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;
import org.tokenrate.device.cpu.CpuDevice;

/** The decoder takes exactly the tensors that its configuration has a place for. */
class DecoderWeightsTest {
    private static final long SEED = 5;

    @TempDir Path folder;

    private static RandomModel model(boolean tied) {
        var config = RandomModel.llama(8, 1, 2, 1, 4, 12, 20, tied);
        return new RandomModel(config, DType.F32, new Random(SEED));
    }

    static List<String> names() {
        return List.copyOf(model(false).names());
    }

    @ParameterizedTest
    @MethodSource("names")
    void aMissingTensorIsNamed(String missing) throws IOException {
        RandomModel model = model(false);
        List<String> names = new ArrayList<>(model.names());
        names.remove(missing);
        write(model, names, List.of());
        String message = assertThrows(IOException.class, () -> load(model)).getMessage();
        assertEquals(folder + ": has no tensor " + missing, message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.layers.0.self_attn.q_proj.bias",
                "model.layers.1.input_layernorm.weight",
                "score.weight",
            })
    void aSurplusTensorIsNamed(String surplus) throws IOException {
        RandomModel model = model(false);
        write(model, model.names(), List.of(surplus));
        String message = assertThrows(IOException.class, () -> load(model)).getMessage();
        assertEquals(
                folder.resolve("model.safetensors")
                        + ": has a tensor "
                        + surplus
                        + " that its configuration has no place for",
                message);
    }

    @Test
    void aHeadBesideTiedEmbeddingsIsPassedOver() throws IOException {
        RandomModel model = model(true);
        write(model, model.names(), List.of("lm_head.weight"));
        load(model);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.layers.0.self_attn.rotary_emb.inv_freq",
                "model.layers.0.self_attn.masked_bias",
            })
    void whatOldCheckpointsCarryBesidesIsPassedOver(String derived) throws IOException {
        RandomModel model = model(false);
        write(model, model.names(), List.of(derived));
        load(model);
    }

    /** With biases, head norms and fused projections, wherever the family can have them. */
    @ParameterizedTest
    @EnumSource
    void everyFamilyNeedsEachOfItsTensors(Architecture architecture) throws IOException {
        ModelConfig plain = RandomModel.llama(8, 1, 2, 1, 4, 12, 20, false);
        boolean qwen3 = architecture == Architecture.QWEN3;
        boolean qkvBias = architecture != Architecture.MISTRAL;
        boolean outputBias = qkvBias && architecture != Architecture.QWEN2;
        ModelConfig config =
                new ModelConfig(
                        architecture,
                        8,
                        1,
                        new AttentionConfig(
                                2, 1, 4, qkvBias, outputBias, qwen3, SlidingWindow.NONE),
                        12,
                        architecture == Architecture.LLAMA,
                        20,
                        64,
                        1e-5f,
                        plain.rope(),
                        false,
                        List.of());
        RandomModel model = new RandomModel(config, DType.F32, new Random(SEED));
        for (String missing : model.names()) {
            List<String> names = new ArrayList<>(model.names());
            names.remove(missing);
            write(model, names, List.of());
            String message = assertThrows(IOException.class, () -> load(model)).getMessage();
            assertEquals(folder + ": has no tensor " + missing, message);
        }
        write(model, model.names(), List.of());
        load(model);
    }

    /** Writes the named tensors of a model, and surplus ones of one element. */
    private void write(RandomModel model, Iterable<String> names, List<String> surplus)
            throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        for (String name : names) tensors.add(new Tensor(name, Type.F32, model.shape(name)));
        for (String name : surplus) tensors.add(new Tensor(name, Type.F32, 1));
        Path file = folder.resolve("model.safetensors");
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (String name : names) writer.write(model.weight(name));
            for (int i = 0; i < surplus.size(); i++) writer.write(new float[1]);
        }
    }

    private void load(RandomModel model) throws IOException {
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder);
                CpuDevice device = new CpuDevice(DType.F32, 1)) {
            assertTrue(
                    new Decoder(model.config(), checkpoint, device, 4, 1).weightBytes() > 0,
                    "a decoder has weights");
        }
    }
}
