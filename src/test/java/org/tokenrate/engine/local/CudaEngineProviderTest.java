package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;
import org.tokenrate.softgpu.OnSoftGpu;

/** What {@code engine=cuda} refuses before anything is loaded. */
@OnSoftGpu(devices = 2)
class CudaEngineProviderTest {
    @TempDir Path temporary;

    private static EngineOptions options(String engine, String model, String dtype, int tp) {
        return new EngineOptions(engine, model, "hf", dtype, tp, 0.5, 4, true);
    }

    private static String refusal(EngineOptions options) {
        return assertThrows(IllegalArgumentException.class, () -> Engines.validate(options))
                .getMessage();
    }

    @Test
    void whatTheDevicesCanRunIsTaken() {
        Engines.validate(options("cuda", "builtin", "auto", 1));
        Engines.validate(options("cuda", "random:llama2-7b", "bf16", 2));
        Engines.validate(options("auto", "builtin", "f16", 1));
    }

    @Test
    void f32IsRefusedWithWhatThereIs() {
        assertEquals(
                "dtype=f32: engine=cuda computes in 16 bits; use dtype=bf16, f16 or auto, or"
                        + " engine=cpu",
                refusal(options("cuda", "builtin", "f32", 1)));
    }

    @Test
    void moreRanksThanDevicesAreRefusedWithTheNumbers() {
        assertEquals(
                "tp=4 needs as many devices, but 2 are visible; use -p tp=2",
                refusal(options("cuda", "random:llama2-7b", "auto", 4)));
    }

    @Test
    void ranksThatDoNotDivideTheHeadsAreRefused() throws IOException {
        String message = refusal(options("cuda", model(3, 3, 64, 96), "auto", 2));
        assertTrue(message.startsWith("tp=2 must divide 3 attention heads"), message);
    }

    @Test
    void headsAndWidthsWithoutKernelsAreRefused() throws IOException {
        assertEquals(
                "the model's heads are 48 wide; engine=cuda has kernels for [64, 80, 96, 128]: use"
                        + " engine=cpu",
                refusal(options("cuda", model(4, 2, 48, 96), "auto", 1)));
        assertEquals(
                "the model has layers 99 wide; engine=cuda needs multiples of 8: use engine=cpu",
                refusal(options("cuda", model(4, 2, 64, 99), "auto", 1)));
        assertEquals(
                "the model has layers 60 wide; engine=cuda needs multiples of 8: use engine=cpu",
                refusal(options("cuda", model(60, 4, 2, 64, 96), "auto", 1)));
    }

    @Test
    void ranksThatWouldHaveTooLittleOfTheMlpAreRefused() throws IOException {
        String model = model(4, 2, 64, 8);
        Engines.validate(options("cuda", model, "auto", 1));
        assertEquals(
                "tp=2 leaves a rank less than 8 columns of the MLP's width of 8, and engine=cuda"
                        + " needs multiples of 8; use -p tp=1",
                refusal(options("cuda", model, "auto", 2)));
    }

    private String model(int heads, int kvHeads, int headDim, int middle) throws IOException {
        return model(64, heads, kvHeads, headDim, middle);
    }

    private String model(int hidden, int heads, int kvHeads, int headDim, int middle)
            throws IOException {
        var config = RandomModel.llama(hidden, 1, heads, kvHeads, headDim, middle, 211, false);
        Path file = temporary.resolve("config.json");
        Files.writeString(file, HfFolder.config(config).toString());
        return "random:" + file;
    }

    @Test
    void argumentsAreRefused() {
        assertEquals(
                "engine=cuda:1: cuda takes no arguments; CUDA_VISIBLE_DEVICES chooses devices",
                refusal(options("cuda:1", "builtin", "auto", 1)));
    }
}
