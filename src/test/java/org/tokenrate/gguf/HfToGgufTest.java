package org.tokenrate.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.model.RandomModel;

class HfToGgufTest {
    private static final String NAME = "model.layers.0.mlp.up_proj.weight";

    @TempDir Path folder;

    private void convert(float weight, GgufType type) throws IOException {
        var config = RandomModel.llama(64, 1, 4, 2, 16, 96, 300, false);
        var model = new RandomModel(config, DType.F32, new Random(1));
        model.weight(NAME)[4321] = weight;
        HfToGguf.convert(ConfigJson.of(config), model, type, folder.resolve("model.gguf"));
    }

    @Test
    void aWeightThatF16CannotHoldIsRefusedByNameAndTakenByWiderTypes() throws IOException {
        for (float weight : new float[] {65520, -70000, Float.MAX_VALUE}) {
            IOException refused =
                    assertThrows(IOException.class, () -> convert(weight, GgufType.F16));
            assertEquals(
                    NAME + " holds " + weight + ", and f16 ends at 65504; use dtype=bf16 or f32",
                    refused.getMessage());
        }
        convert(-70000, GgufType.BF16);
        convert(-70000, GgufType.F32);
    }

    @Test
    void theLargestThatRoundsToAnF16IsTaken() throws IOException {
        convert(Math.nextDown(65520f), GgufType.F16);
    }
}
