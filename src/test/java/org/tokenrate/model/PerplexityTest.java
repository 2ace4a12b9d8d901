package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.cpu.CpuDevice;

/**
 * What fewer bits cost the built-in model on random text: how much less likely its next tokens are
 * than in f32 (cross entropy, in nats a token), and how far all probabilities move from those of
 * f32 (the Kullback-Leibler divergence, in nats).
 */
class PerplexityTest {
    private static final int TOKENS = 96;

    /** Too little for a text's likelihood to say anything about the bits. */
    private static final double CROSS_ENTROPY = 0.05;

    private static int[] text;
    private static double[][] whole;

    @BeforeAll
    static void readTheTextInF32() throws IOException {
        int vocabulary = ModelSource.of("builtin", "hf").config().vocabularySize();
        text = new Random(5).ints(TOKENS, 0, vocabulary).toArray();
        whole = logProbabilities("hf", DType.F32);
    }

    @ParameterizedTest
    @CsvSource({"hf, BF16, 1e-4", "awq, F32, 0.15", "awq, BF16, 0.15"})
    void fewerBitsMoveTheProbabilitiesByLittle(String format, DType dtype, double most)
            throws IOException {
        assumeMultiplied(dtype);
        double[][] got = logProbabilities(format, dtype);
        double divergence = 0;
        double entropy = 0;
        double wholeEntropy = 0;
        for (int t = 0; t < TOKENS - 1; t++) {
            entropy -= got[t][text[t + 1]] / (TOKENS - 1);
            wholeEntropy -= whole[t][text[t + 1]] / (TOKENS - 1);
            for (int v = 0; v < got[t].length; v++) {
                divergence += Math.exp(whole[t][v]) * (whole[t][v] - got[t][v]) / (TOKENS - 1);
            }
        }
        String what =
                "%s in %s: divergence %.2e, cross entropy %.4f against %.4f"
                        .formatted(format, dtype, divergence, entropy, wholeEntropy);
        assertTrue(divergence > 0 && divergence < most, what);
        assertEquals(wholeEntropy, entropy, CROSS_ENTROPY, what);
    }

    /** Of every token of the vocabulary, after each token of the text. */
    private static double[][] logProbabilities(String format, DType dtype) throws IOException {
        ModelSource source = ModelSource.of("builtin", format);
        ModelConfig config = source.config();
        try (CpuDevice device = new CpuDevice(dtype, 2);
                Checkpoint checkpoint = source.open()) {
            Decoder decoder = new Decoder(config, checkpoint, device, 1, 1);
            KvCache cache =
                    device.newKvCache(
                            2,
                            KvCache.TILE_TOKENS,
                            config.layers(),
                            config.kvHeads(),
                            config.headDim());
            Batch batch = new Batch(1, 1);
            double[][] all = new double[TOKENS][];
            for (int t = 0; t < TOKENS; t++) {
                batch.clear();
                batch.add(text, t, t + 1, TOKENS, new int[] {1, 0});
                batch.sampleNext(1, 1, 1, 0);
                all[t] = logSoftmax(device.read(decoder.logits(batch, cache), 0));
            }
            return all;
        }
    }

    private static double[] logSoftmax(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float x : logits) largest = Math.max(largest, x);
        double sum = 0;
        for (float x : logits) sum += Math.exp(x - largest);
        double[] log = new double[logits.length];
        for (int i = 0; i < log.length; i++) log[i] = logits[i] - largest - Math.log(sum);
        return log;
    }
}
