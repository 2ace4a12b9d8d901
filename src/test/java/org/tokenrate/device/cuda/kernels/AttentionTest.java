package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class AttentionTest extends OnGpu {
    private static final int ALL = Integer.MAX_VALUE;
    private static final int TILE_ROWS = 64;
    private static final double F32_UNIT = Math.scalb(1.0, -24);

    static Stream<Arguments> typesAndHeads() {
        List<Arguments> all = new ArrayList<>();
        for (Element type : Element.values()) {
            for (int dim : new int[] {64, 80, 96, 128}) all.add(Arguments.of(type, dim));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void promptsSeeThemselvesAndWhatCameBefore(Element type, int headDim) {
        Random random = random();
        // Whole prompts about a block's boundary, chunks after earlier tokens, one token alone.
        prefill(type, headDim, 1, 1, new int[] {0, 0, 0}, new int[] {63, 64, 65}, ALL, random);
        prefill(type, headDim, 2, 4, new int[] {0, 60, 130}, new int[] {1, 9, 17}, ALL, random);
        prefill(type, headDim, 1, 8, new int[] {100}, new int[] {20}, ALL, random);
        prefill(type, headDim, 1, 7, new int[] {64}, new int[] {11}, ALL, random);
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void promptsSeeNoFurtherBackThanTheirWindow(Element type, int headDim) {
        Random random = random();
        prefill(type, headDim, 1, 2, new int[] {0, 200}, new int[] {70, 40}, 33, random);
        prefill(type, headDim, 1, 1, new int[] {190}, new int[] {66}, 64, random);
        prefill(type, headDim, 1, 1, new int[] {190}, new int[] {66}, 1, random);
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void tokensSeeTheirWholeContext(Element type, int headDim) {
        Random random = random();
        for (int splits : new int[] {1, 2, 5}) {
            decode(type, headDim, 2, 1, new int[] {0, 15, 16, 62, 63, 64}, ALL, splits, random);
            decode(type, headDim, 1, 4, new int[] {300, 1, 127}, ALL, splits, random);
            decode(type, headDim, 1, 8, new int[] {200}, ALL, splits, random);
            decode(type, headDim, 1, 20, new int[] {129}, ALL, splits, random);
        }
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void tokensSeeNoFurtherBackThanTheirWindow(Element type, int headDim) {
        Random random = random();
        for (int splits : new int[] {1, 3}) {
            int[] positions = {5, 64, 200, 321};
            decode(type, headDim, 1, 2, positions, 70, splits, random);
            decode(type, headDim, 1, 1, positions, 1, splits, random);
        }
    }

    /** Contexts that end at a tile's and a block's boundary, before and after it. */
    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void blocksOfSeveralTilesAreReadTileByTile(Element type, int headDim) {
        Random random = random();
        for (int tiles : new int[] {2, 3}) {
            int[] from = {0, 60, 120, 190};
            int[] count = {128, 5, 9, 3};
            prefill(type, new Paged(random, 2, 2, headDim, tiles, from, count), ALL, random);
            prefill(type, new Paged(random, 1, 1, headDim, tiles, from, count), 70, random);
            int[] positions = {0, 63, 64, 127, 128, 191, 192, 330};
            int[] one = {1, 1, 1, 1, 1, 1, 1, 1};
            for (int splits : new int[] {1, 3}) {
                decode(
                        type,
                        new Paged(random, 2, 2, headDim, tiles, positions, one),
                        ALL,
                        splits,
                        random);
                decode(
                        type,
                        new Paged(random, 1, 1, headDim, tiles, positions, one),
                        70,
                        splits,
                        random);
            }
        }
    }

    @Test
    void aLongContextIsSummedInParts() {
        Random random = random();
        decode(Element.F16, 64, 1, 4, new int[] {8191}, ALL, 32, random);
        prefill(Element.BF16, 64, 1, 4, new int[] {4090}, new int[] {6}, ALL, random);
    }

    @Test
    void manySequencesAreDecodedAtOnce() {
        Random random = random();
        int[] positions = random.ints(256, 0, 100).toArray();
        decode(Element.BF16, 64, 1, 1, positions, ALL, 1, random);
    }

    private static void prefill(
            Element type,
            int headDim,
            int kvHeads,
            int group,
            int[] first,
            int[] count,
            int window,
            Random random) {
        Paged batch = new Paged(random, kvHeads, group, headDim, first, count);
        prefill(type, batch, window, random);
    }

    private static void prefill(Element type, Paged batch, int window, Random random) {
        int headDim = batch.headDim;
        int kvHeads = batch.kvHeads;
        int group = batch.group;
        Inputs in = new Inputs(type, batch, random);
        List<Integer> tiles = new ArrayList<>();
        for (int s = batch.sequences() - 1; s >= 0; s--) {
            int rows = (batch.start[s + 1] - batch.start[s]) * group;
            for (int row = 0; row < rows; row += TILE_ROWS) tiles.addAll(List.of(s, row));
        }
        tiles.addAll(List.of(-1, 0)); // padding
        Gpu.Buffer out = gpu.unwritten(2L * batch.tokens() * batch.heads() * headDim);
        gpu.launch(
                "prefill.cu",
                options(type, headDim),
                "attention_prefill",
                new Gpu.Grid(tiles.size() / 2, kvHeads),
                128,
                gpu.shorts(in.qkv),
                gpu.shorts(in.cache),
                gpu.ints(tiles.stream().mapToInt(i -> i).toArray()),
                gpu.ints(batch.start),
                gpu.ints(batch.positions),
                gpu.ints(batch.blockTable),
                batch.maxBlocks,
                batch.blockElements(),
                batch.blockTiles,
                batch.layer,
                kvHeads,
                group,
                window,
                (float) (1 / Math.sqrt(headDim)),
                out);
        in.check(gpu.readShorts(out), window, batch.positions);
        gpu.free();
    }

    private static void decode(
            Element type,
            int headDim,
            int kvHeads,
            int group,
            int[] positions,
            int window,
            int splits,
            Random random) {
        int[] one = new int[positions.length];
        Arrays.fill(one, 1);
        Paged batch = new Paged(random, kvHeads, group, headDim, positions, one);
        decode(type, batch, window, splits, random);
    }

    private static void decode(Element type, Paged batch, int window, int splits, Random random) {
        int n = batch.tokens();
        int headDim = batch.headDim;
        int kvHeads = batch.kvHeads;
        int group = batch.group;
        Inputs in = new Inputs(type, batch, random);
        int[] tokens = new int[n];
        for (int i = 0; i < n; i++) tokens[i] = n - 1 - i;
        int[] padded = batch.positions.clone();
        if (n > 2) padded[1] = -1;
        int heads = batch.heads();
        Gpu.Buffer out = gpu.unwritten(2L * n * heads * headDim);
        Gpu.Buffer partial = gpu.unwritten(4L * n * heads * splits * headDim);
        Gpu.Buffer partialScale = gpu.unwritten(8L * n * heads * splits);
        Gpu.Buffer tokenList = gpu.ints(tokens);
        Gpu.Buffer positionList = gpu.ints(padded);
        gpu.launch(
                "decode.cu",
                options(type, headDim),
                "attention_decode",
                new Gpu.Grid(n, kvHeads * Gpu.blocks(group, 16), splits),
                128,
                gpu.shorts(in.qkv),
                gpu.shorts(in.cache),
                tokenList,
                positionList,
                gpu.ints(batch.sequenceOf),
                gpu.ints(batch.blockTable),
                batch.maxBlocks,
                batch.blockElements(),
                batch.blockTiles,
                batch.layer,
                kvHeads,
                group,
                window,
                (float) (1 / Math.sqrt(headDim)),
                splits == 1 ? 0L : partial,
                splits == 1 ? 0L : partialScale,
                out);
        if (splits > 1) {
            gpu.launch(
                    "decode.cu",
                    options(type, headDim),
                    "attention_decode_reduce",
                    new Gpu.Grid(n, heads),
                    (headDim + 31) / 32 * 32,
                    tokenList,
                    positionList,
                    window,
                    splits,
                    partial,
                    partialScale,
                    out);
        }
        in.check(gpu.readShorts(out), window, padded);
        gpu.free();
    }

    private static List<String> options(Element type, int headDim) {
        return List.of(type.option(), "-DTR_HEAD_DIM=" + headDim);
    }

    /** Random queries, keys and values; what of the cache belongs to nobody is not a number. */
    private static final class Inputs {
        final Element type;
        final Paged batch;
        final short[] qkv;
        final short[] cache;
        final double[] queries;
        final double[] cached;

        Inputs(Element type, Paged batch, Random random) {
            this.type = type;
            this.batch = batch;
            qkv = type.random(random, batch.tokens() * batch.rowWidth(), 1.5);
            cache = new short[batch.cacheElements()];
            Arrays.fill(cache, (short) -1);
            for (int s = 0; s < batch.sequences(); s++) {
                int last = batch.positions[batch.start[s + 1] - 1];
                for (int p = 0; p <= last; p++) {
                    for (int part = 0; part < 2 * batch.kvHeads; part++) {
                        short[] head = type.random(random, batch.headDim, 1);
                        int to = batch.at(s, p, part % 2, part / 2);
                        System.arraycopy(head, 0, cache, to, batch.headDim);
                    }
                }
            }
            queries = type.values(qkv);
            cached = type.values(cache);
        }

        void check(short[] out, int window, int[] positions) {
            for (int t = 0; t < batch.tokens(); t++) {
                for (int h = 0; h < batch.heads(); h++) {
                    if (positions[t] < 0) {
                        assertEquals(-1, out[(t * batch.heads() + h) * batch.headDim], "padding");
                    } else {
                        check(out, window, t, h);
                    }
                }
            }
        }

        private void check(short[] out, int window, int token, int head) {
            int dim = batch.headDim;
            int kvHead = head / batch.group;
            int sequence = batch.sequenceOf[token];
            int position = batch.positions[token];
            int first = (int) Math.max(0, position - (long) window + 1);
            int query = batch.qkvAt(token, kvHead, head % batch.group);
            double[] scores = new double[position + 1 - first];
            double largest = Double.NEGATIVE_INFINITY;
            double size = 0;
            for (int u = first; u <= position; u++) {
                int key = batch.at(sequence, u, 0, kvHead);
                double score = 0;
                double sum = 0;
                for (int d = 0; d < dim; d++) {
                    score += queries[query + d] * cached[key + d];
                    sum += Math.abs(queries[query + d] * cached[key + d]);
                }
                scores[u - first] = score / Math.sqrt(dim);
                size = Math.max(size, sum / Math.sqrt(dim));
                largest = Math.max(largest, scores[u - first]);
            }
            double total = 0;
            double[] sums = new double[dim];
            double[] sizes = new double[dim];
            double[] plain = new double[dim];
            for (int u = first; u <= position; u++) {
                double weight = Math.exp(scores[u - first] - largest);
                total += weight;
                int value = batch.at(sequence, u, 1, kvHead);
                for (int d = 0; d < dim; d++) {
                    sums[d] += weight * cached[value + d];
                    sizes[d] += weight * Math.abs(cached[value + d]);
                    plain[d] += Math.abs(cached[value + d]);
                }
            }
            // A weight is rounded to the type (plain is for those too small for its precision); the
            // rest is f32: scores (sums of headDim products, whose error the exponential makes
            // relative), and sums over the context.
            double relative = type.unit() + F32_UNIT * (2 * dim * size + 2 * scores.length + 16);
            for (int d = 0; d < dim; d++) {
                double expected = sums[d] / total;
                double error = (relative * sizes[d] + type.tiny() * plain[d]) / total;
                near(
                        expected,
                        type.value(out[(token * batch.heads() + head) * dim + d]),
                        type.roundingOf(expected) + error,
                        "%s, heads of %d, group %d, window %d: position %d, head %d, column %d",
                        type,
                        dim,
                        batch.group,
                        window,
                        position,
                        head,
                        d);
            }
        }
    }
}
