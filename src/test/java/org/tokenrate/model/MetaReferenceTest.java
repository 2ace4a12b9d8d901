package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.Checkpoints;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;

/**
 * A model in Meta's layout that torch saved in two shards, against the logits of Meta's equations,
 * with rotary pairs as complex numbers: {@code make.py} beside the files made both.
 */
class MetaReferenceTest {
    /** The reference adds up in 64 bits, the device in 32. */
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @ValueSource(ints = {12, 5, 1})
    void theLogitsAreThoseOfMetasEquations(int chunk) throws IOException, URISyntaxException {
        Path folder =
                Path.of(MetaReferenceTest.class.getResource("meta/params.json").toURI())
                        .getParent();
        JsonNode expected = new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
        int[] prompt = new ObjectMapper().convertValue(expected.get("prompt"), int[].class);
        ModelConfig config = MetaConfig.read(folder);
        assertEquals(expected.get("logits").size(), config.vocabularySize());
        try (Checkpoint checkpoint = Checkpoints.open(folder, ModelFormat.detect(folder));
                CpuDevice device = new CpuDevice(DType.F32, 1)) {
            Decoder decoder = new Decoder(config, checkpoint, device, prompt.length, 1);
            KvCache cache =
                    device.newKvCache(
                            1,
                            KvCache.TILE_TOKENS,
                            config.layers(),
                            config.kvHeads(),
                            config.headDim());
            Batch batch = new Batch(prompt.length, 1);
            float[] logits = {};
            for (int from = 0; from < prompt.length; from += chunk) {
                int to = Math.min(prompt.length, from + chunk);
                batch.clear();
                batch.add(prompt, from, to, prompt.length, new int[] {0});
                batch.sampleNext(1, 1, 0, 0);
                logits = device.read(decoder.logits(batch, cache), 0);
            }
            for (int i = 0; i < logits.length; i++) {
                assertEquals(
                        expected.get("logits").get(i).asDouble(),
                        logits[i],
                        TOLERANCE,
                        "token " + i);
            }
        }
    }
}
