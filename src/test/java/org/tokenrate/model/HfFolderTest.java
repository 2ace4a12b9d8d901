package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;

/** Every family's model on disk is the one that was written. */
class HfFolderTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void aConfigurationOfEachFamilyIsReadAsItWasWritten(Architecture architecture)
            throws IOException {
        for (long seed = 0; seed < 50; seed++) {
            ModelConfig config = RandomModel.randomConfig(new Random(seed), architecture);
            byte[] json = HfFolder.config(config).toString().getBytes(StandardCharsets.UTF_8);
            assertEquals(config, ModelConfig.parse(folder, json), "seed " + seed);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFolderOfEachFamilyIsReadAsItWasWritten(Architecture architecture) throws IOException {
        for (long seed = 0; seed < 3; seed++) {
            Random random = new Random(seed);
            ModelConfig config = RandomModel.randomConfig(random, architecture);
            DType stored = random.nextBoolean() ? DType.F32 : DType.BF16;
            RandomModel model = new RandomModel(config, stored, random);
            Path here = folder.resolve("" + seed);
            HfFolder.write(here, model);
            assertEquals(config, ModelConfig.read(here), "seed " + seed);
            try (HfCheckpoint checkpoint = HfCheckpoint.open(here)) {
                assertArrayEquals(
                        logits(config, model), logits(config, checkpoint), "seed " + seed);
            }
        }
    }

    private static float[] logits(ModelConfig config, Checkpoint checkpoint) throws IOException {
        try (CpuDevice device = new CpuDevice(DType.F32, 1)) {
            Decoder decoder = new Decoder(config, checkpoint, device, 4, 1);
            KvCache cache =
                    device.newKvCache(
                            1,
                            KvCache.TILE_TOKENS,
                            config.layers(),
                            config.kvHeads(),
                            config.headDim());
            Batch batch = new Batch(4, 1);
            batch.clear();
            batch.add(new int[] {3, 1, 4}, 0, 3, 3, new int[] {0});
            batch.sampleNext(1, 1, 1, 0);
            float[] logits = device.read(decoder.logits(batch, cache), 0);
            assertTrue(logits[0] != 0, "a model that was loaded says something");
            return logits;
        }
    }
}
