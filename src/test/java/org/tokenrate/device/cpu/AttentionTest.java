package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.AttentionShape;
import org.tokenrate.device.Batch;
import org.tokenrate.device.KvCache;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/** Attention against its formula in double precision, over blocks that hold nothing else. */
class AttentionTest {
    private static final int TILE = KvCache.TILE_TOKENS;
    private static final int[] CONTEXTS = {1, 2, 33, 63, 64, 65, 127, 128, 129, 200, 300, 513};
    private static final int[] TOKENS = {1, 1, 1, 2, 15, 16, 17, 24, 64, 65, 130, 300};
    private static final int MOST = 513;

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void everyRaggedBatchIsRight(DType dtype) {
        assumeMultiplied(dtype);
        int[] dims = {64, 64, 128, 16, 80, 96, 6};
        int[] groups = {1, 1, 2, 4, 7, 8};
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            int kvHeads = 1 + random.nextInt(5);
            int group = groups[random.nextInt(groups.length)];
            int dim = dims[random.nextInt(dims.length)];
            int window = random.nextInt(3) > 0 ? Integer.MAX_VALUE : 1 + random.nextInt(150);
            int sequences = 1 + random.nextInt(6);
            var run = new Run(random, dtype, kvHeads, group, dim, 1 + random.nextInt(3));
            for (int s = 0; s < sequences; s++) {
                int context = CONTEXTS[random.nextInt(CONTEXTS.length)];
                run.add(context, Math.min(context, TOKENS[random.nextInt(TOKENS.length)]));
            }
            String what =
                    "%s, %d heads over %d of %d, window %d, seed %d"
                            .formatted(dtype, kvHeads * group, kvHeads, dim, window, seed);
            run.check(window, what);
        }
    }

    /** A prompt that comes in chunks, as long as products take: the last bucket of contexts. */
    @Test
    void theLongestContextOfProductsIsRight() {
        assumeMultiplied(DType.BF16);
        Random random = new Random(1);
        for (int context : new int[] {AttentionProducts.MOST_CONTEXT, 8193}) {
            var run = new Run(random, DType.BF16, 2, 1, 64, 2);
            run.add(context, 100);
            run.check(Integer.MAX_VALUE, "context " + context);
        }
    }

    @Test
    void contextsAreRoundedUpByAtMostAFourthOrABlock() {
        for (int context = 1; context <= AttentionProducts.MOST_CONTEXT; context++) {
            int bucket = AttentionProducts.bucket(context);
            assertEquals(0, bucket % TILE, "context " + context);
            assertTrue(bucket >= context, "context " + context);
            int most = Math.max(TILE - 1, context / 4);
            assertTrue(bucket - context <= most, context + " becomes " + bucket);
        }
        int longest = AttentionProducts.bucket(AttentionProducts.MOST_CONTEXT);
        assertEquals(AttentionProducts.MOST_CONTEXT, longest);
    }

    /** Queries, keys and values of a batch, and the operation on them. */
    private static final class Run {
        private final Random random;
        private final DType dtype;
        private final AttentionShape shape;
        private final int threads;
        private final List<float[][][]> keys = new ArrayList<>(); // [sequence][position][head][dim]
        private final List<float[][][]> values = new ArrayList<>();
        private final List<Integer> counts = new ArrayList<>();

        Run(Random random, DType dtype, int kvHeads, int group, int dim, int threads) {
            this.random = random;
            this.dtype = dtype;
            this.threads = threads;
            Rope rope = new Rope(10_000, RopeScaling.NONE);
            shape = new AttentionShape(kvHeads * group, kvHeads, dim, rope, 16 * MOST);
        }

        /** A sequence whose last {@code tokens} are in the batch. */
        void add(int context, int tokens) {
            keys.add(numbers(context));
            values.add(numbers(context));
            counts.add(tokens);
        }

        private float[][][] numbers(int context) {
            float[][][] all = new float[context][shape.kvHeads()][shape.headDim()];
            for (float[][] heads : all) {
                for (float[] head : heads) {
                    for (int d = 0; d < head.length; d++) {
                        float x = (float) random.nextGaussian();
                        head[d] = dtype == DType.BF16 ? Bf16.toFloat(Bf16.bits(x)) : x;
                    }
                }
            }
            return all;
        }

        void check(int window, String what) {
            if (dtype == DType.BF16) check(new KvKernelBf16(), window, what);
            else check(new KvKernelF32(), window, what);
        }

        private <A> void check(KvKernel<A> kernel, int window, String what) {
            int total = counts.stream().mapToInt(Integer::intValue).sum();
            int dim = shape.headDim();
            Batch batch = new Batch(total, counts.size());
            batch.clear();
            KvBlocks<A> cache = fill(kernel, batch);
            CpuTensor qkv =
                    new CpuTensor(total, shape.kvHeads() * shape.columnsPerKvHead(), DType.F32);
            float[] row = new float[qkv.columns()];
            for (int t = 0; t < total; t++) {
                for (int i = 0; i < row.length; i++) row[i] = (float) random.nextGaussian();
                qkv.put(t, 0, row, 0, row.length);
            }
            CpuTensor out = new CpuTensor(total, shape.heads() * dim, dtype);
            try (Team team = new Team(threads);
                    Attention<A> attention = new Attention<>(shape, cache, threads)) {
                attention.run(team, qkv, batch, 1, window, out);
            }
            for (int t = 0; t < total; t++) {
                float[] in = qkv.toFloats(t);
                float[] got = out.toFloats(t);
                for (int h = 0; h < shape.heads(); h++) {
                    double[] expected = expected(in, batch, t, h, window);
                    for (int d = 0; d < dim; d++) {
                        double error = Math.abs(expected[d] - got[h * dim + d]);
                        // Queries, weights and results of bf16 keep 8 bits each.
                        double bound =
                                dtype == DType.F32 ? 3e-5 : 0.02 + 0.02 * Math.abs(expected[d]);
                        if (!(error <= bound)) {
                            assertEquals(
                                    expected[d],
                                    got[h * dim + d],
                                    bound,
                                    "token %d of %d, head %d, %s".formatted(t, total, h, what));
                        }
                    }
                }
            }
            qkv.free();
            out.free();
        }

        /** Blocks in random places, of layer 1 of 2; all that no token is in is not a number. */
        private <A> KvBlocks<A> fill(KvKernel<A> kernel, Batch batch) {
            int size = TILE * (1 + random.nextInt(3));
            int blocks = keys.stream().mapToInt(k -> KvCache.blocksFor(k.length, size)).sum();
            int dim = shape.headDim();
            var cache = new KvBlocks<>(kernel, blocks, size, 2, shape.kvHeads(), dim);
            List<Integer> ids = new ArrayList<>();
            for (int i = 0; i < blocks; i++) ids.add(i);
            Collections.shuffle(ids, random);
            float[] nothing = new float[dim];
            Arrays.fill(nothing, Float.NaN);
            for (int s = 0; s < keys.size(); s++) {
                int context = keys.get(s).length;
                int[] table = new int[cache.blocksFor(context)];
                for (int b = 0; b < table.length; b++) table[b] = ids.remove(0);
                for (int position = 0; position < table.length * size; position++) {
                    for (int h = 0; h < shape.kvHeads(); h++) {
                        store(cache, table, position, h, nothing, nothing);
                    }
                }
                for (int position = 0; position < context; position++) {
                    for (int h = 0; h < shape.kvHeads(); h++) {
                        float[] value = values.get(s)[position][h];
                        store(cache, table, position, h, keys.get(s)[position][h], value);
                    }
                }
                batch.add(new int[context], context - counts.get(s), context, context, table);
            }
            return cache;
        }

        private <A> void store(
                KvBlocks<A> cache, int[] table, int position, int head, float[] k, float[] v) {
            int dim = shape.headDim();
            A block = cache.block(table, position);
            int keys = cache.keys(1, position, head);
            cache.kernel().storeKey(block, keys, position % TILE, k, 0, dim, new int[dim]);
            cache.kernel().storeValue(block, cache.values(keys), position % TILE, v, 0, dim);
        }

        private double[] expected(float[] in, Batch batch, int token, int head, int window) {
            int dim = shape.headDim();
            int s = batch.sequenceOf[token];
            int kvHead = head / shape.group();
            int at = kvHead * shape.columnsPerKvHead() + head % shape.group() * dim;
            int position = batch.positions[token];
            int from = Math.max(0, position - window + 1);
            double[] scores = new double[position + 1];
            double most = Double.NEGATIVE_INFINITY;
            for (int u = from; u <= position; u++) {
                float[] key = keys.get(s)[u][kvHead];
                for (int d = 0; d < dim; d++) scores[u] += (double) in[at + d] * key[d];
                scores[u] /= Math.sqrt(dim);
                most = Math.max(most, scores[u]);
            }
            double total = 0;
            double[] sum = new double[dim];
            for (int u = from; u <= position; u++) {
                double p = Math.exp(scores[u] - most);
                total += p;
                for (int d = 0; d < dim; d++) sum[d] += p * values.get(s)[u][kvHead][d];
            }
            for (int d = 0; d < dim; d++) sum[d] /= total;
            return sum;
        }
    }
}
