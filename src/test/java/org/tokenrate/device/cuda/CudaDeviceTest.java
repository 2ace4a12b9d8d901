package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.model.Decoder;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.softgpu.OnSoftGpu;

/** A decoder's iterations on one device. */
@OnSoftGpu
class CudaDeviceTest {
    private static final long SEED = 20261124;
    private static final int VOCABULARY = 211;
    private static final int MAX_TOKENS = 64;
    private static final int SEQUENCES = 5;
    private static final int PROMPT = 3;
    private static final int STEPS = 6;

    private final ModelConfig config = RandomModel.llama(64, 2, 4, 2, 64, 96, VOCABULARY, false);
    private final RandomModel model = new RandomModel(config, DType.BF16, new Random(SEED));

    /** Logits of every sequence after every step that decodes. */
    private List<float[]> decode(CudaDevice device, List<Long> bytes) throws Exception {
        List<float[]> logits = new ArrayList<>();
        Decoder decoder = new Decoder(config, model, device, MAX_TOKENS, SEQUENCES + 3);
        assertTrue(device.freeBytes() > 0);
        KvCache cache =
                device.newKvCache(
                        SEQUENCES, KvCache.TILE_TOKENS, 2, config.kvHeads(), config.headDim());
        Random random = new Random(SEED);
        int[][] tokens = new int[SEQUENCES][];
        for (int s = 0; s < SEQUENCES; s++) {
            tokens[s] = random.ints(PROMPT + STEPS, 0, VOCABULARY).toArray();
        }
        Batch batch = new Batch(MAX_TOKENS, SEQUENCES + 3);
        int[] chosen = new int[SEQUENCES];
        for (int step = 0; step < STEPS; step++) {
            batch.clear();
            for (int s = 0; s < SEQUENCES; s++) {
                int from = step == 0 ? 0 : PROMPT + step - 1;
                batch.add(tokens[s], from, PROMPT + step, PROMPT, new int[] {s});
                batch.sampleNext(1, 1, 1, 0);
            }
            decoder.forward(batch, cache, chosen);
            bytes.add(device.heldBytes());
            var last = decoder.logits(batch, cache); // the same once more: nothing depends on it
            for (int s = 0; s < SEQUENCES; s++) logits.add(device.read(last, s));
        }
        return logits;
    }

    private static CudaDevice device(boolean graphs) {
        return new CudaDevice(Gpu.all().get(0), DType.BF16, RankLink.ALONE, graphs);
    }

    @Test
    void aRecordedIterationComputesTheSameBits() throws Exception {
        List<float[]> plain;
        try (CudaDevice device = device(false)) {
            plain = decode(device, new ArrayList<>());
            assertEquals(0, device.graphsPlayed());
        }
        try (CudaDevice device = device(true)) {
            List<float[]> recorded = decode(device, new ArrayList<>());
            // Steps run twice; the first of them is no decoding, and the first decoding no graph.
            assertEquals(2 * (STEPS - 1) - 1, device.graphsPlayed());
            for (int i = 0; i < plain.size(); i++) assertArrayEquals(plain.get(i), recorded.get(i));
        }
    }

    @Test
    void iterationsAllocateNothing() throws Exception {
        try (CudaDevice device = device(true)) {
            List<Long> bytes = new ArrayList<>();
            decode(device, bytes);
            assertEquals(1, bytes.stream().distinct().count(), bytes.toString());
        }
    }

    @Test
    void aSequenceIsTheSameWhateverIsBesideIt() throws Exception {
        try (CudaDevice device = device(true)) {
            Decoder decoder = new Decoder(config, model, device, MAX_TOKENS, 8);
            KvCache cache =
                    device.newKvCache(
                            8, KvCache.TILE_TOKENS, 2, config.kvHeads(), config.headDim());
            int[] tokens = IntStream.range(0, 20).toArray();
            Batch batch = new Batch(MAX_TOKENS, 8);
            batch.clear();
            batch.add(tokens, 0, 20, 20, new int[] {3});
            batch.sampleNext(1, 1, 1, 0);
            float[] alone = device.read(decoder.logits(batch, cache), 0);
            batch.clear();
            batch.add(new int[] {5}, 0, 1, 1, new int[] {0});
            batch.sampleNext(1, 1, 1, 0);
            batch.add(tokens, 0, 20, 20, new int[] {7});
            batch.sampleNext(1, 1, 1, 0);
            float[] beside = device.read(decoder.logits(batch, cache), 1);
            assertArrayEquals(alone, beside, 1e-2f);
        }
    }
}
