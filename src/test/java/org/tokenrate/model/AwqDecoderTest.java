package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.AwqCheckpoint;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.AwqNumbers;
import org.tokenrate.checkpoint.AwqWriter;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;

/** A decoder on an AWQ folder against the equations on the dequantised weights. */
class AwqDecoderTest {
    private static final long SEED = 77;
    private static final ModelConfig CONFIG = RandomModel.llama(64, 2, 8, 2, 32, 96, 211, false);

    /** Of root mean squares, as in {@link DecoderTest}; F32: 128 + q costs four bits. */
    private static final Map<DType, Double> BOUND = Map.of(DType.F32, 2e-4, DType.BF16, 3e-2);

    /** Where two logits are closer than this share of the largest, rounding may choose. */
    private static final Map<DType, Double> NEAR = Map.of(DType.F32, 1e-3, DType.BF16, 5e-2);

    private static final int PROMPT = 40;
    private static final int ANSWER = 40;

    @TempDir Path temporary;

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void logitsAndGreedyTokensEqualThoseOfTheDequantisedWeights(DType dtype) throws IOException {
        assumeMultiplied(dtype);
        RandomModel model = new RandomModel(CONFIG, DType.BF16, new Random(SEED));
        Path folder = awqFolder(model);
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(folder);
                CpuDevice device = new CpuDevice(dtype, 2)) {
            dequantise(model, checkpoint);
            Decoder decoder = new Decoder(CONFIG, checkpoint, device, PROMPT, 1);
            KvCache cache =
                    device.newKvCache(
                            2, KvCache.TILE_TOKENS, 2, CONFIG.kvHeads(), CONFIG.headDim());
            ReferenceDecoder reference = new ReferenceDecoder(model);
            int[] tokens = new int[PROMPT + ANSWER];
            Random random = new Random(SEED);
            for (int i = 0; i < PROMPT; i++) tokens[i] = random.nextInt(211);
            Batch batch = new Batch(PROMPT, 1);
            int same = 0;
            for (int length = PROMPT; length < tokens.length; length++) {
                batch.clear();
                batch.add(
                        tokens,
                        length == PROMPT ? 0 : length - 1,
                        length,
                        PROMPT,
                        new int[] {0, 1});
                batch.sampleNext(1, 1, 1, 0);
                float[] got = device.read(decoder.logits(batch, cache), 0);
                double[] expected = reference.logits(tokens, length);
                assertClose(expected, got, BOUND.get(dtype), dtype + ", " + length + " tokens");
                int best = largest(expected);
                int chosen = largest(got);
                if (best == chosen) same++;
                double largest = Math.abs(expected[best]);
                assertTrue(
                        expected[best] - expected[chosen] <= NEAR.get(dtype) * largest,
                        "token %d: %d was chosen, %d is likelier".formatted(length, chosen, best));
                tokens[length] = best;
            }
            assertTrue(
                    same > ANSWER / 2, "only " + same + " of " + ANSWER + " tokens are the same");
        }
    }

    private Path awqFolder(RandomModel model) throws IOException {
        Path dense = Files.createDirectory(temporary.resolve("dense"));
        Path awq = Files.createDirectory(temporary.resolve("awq"));
        Files.writeString(dense.resolve("config.json"), "{}");
        List<Tensor> tensors = new ArrayList<>();
        for (String name : model.names()) {
            tensors.add(new Tensor(name, Type.BF16, model.shape(name)));
        }
        Path file = dense.resolve("model.safetensors");
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (String name : model.names()) writer.write(model.weight(name));
        }
        AwqWriter.convert(dense, awq, 32);
        return awq;
    }

    /** Puts into the model what is left of its weights in 4 bits. */
    private static void dequantise(RandomModel model, AwqCheckpoint checkpoint) throws IOException {
        int packed = 0;
        for (String name : model.names()) {
            if (!name.endsWith("_proj.weight")) continue;
            long[] shape = model.shape(name);
            String layer = name.substring(0, name.length() - ".weight".length());
            AwqData data = (AwqData) checkpoint.linear(layer, shape[0], shape[1]);
            float[] numbers = AwqNumbers.of(data);
            System.arraycopy(numbers, 0, model.weight(name), 0, numbers.length);
            packed++;
        }
        assertTrue(packed == 7 * CONFIG.layers(), packed + " projections are packed");
    }

    private static void assertClose(double[] expected, float[] got, double bound, String what) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(expected[i] - got[i], 2);
            size += Math.pow(expected[i], 2);
        }
        double ratio = Math.sqrt(error / size);
        assertTrue(ratio <= bound, "logits are off by a ratio of " + ratio + ": " + what);
    }

    private static int largest(double[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
        return best;
    }

    private static int largest(float[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
        return best;
    }
}
