package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class RopeTest extends OnGpu {
    private static final float EPS = 0.05f; // large enough to show
    private static final double F32_UNIT = Math.scalb(1.0, -24);

    static Stream<Arguments> typesAndHeads() {
        List<Arguments> all = new ArrayList<>();
        for (Element type : Element.values()) {
            for (int dim : new int[] {64, 80, 96, 128}) all.add(Arguments.of(type, dim));
        }
        return all.stream();
    }

    private static List<String> options(Element type, int headDim) {
        return List.of(type.option(), "-DTR_HEAD_DIM=" + headDim);
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void theTableHasTheCosinesAndSinesOfEachTokensPosition(Element type, int headDim) {
        int half = headDim / 2;
        int[] positions = {0, 1, 63, 64, 4095, -1, 131_071, 1_000_000};
        Rope plain = new Rope(10_000, RopeScaling.NONE);
        Rope dynamic = new Rope(500_000, new RopeScaling.DynamicNtk(4, 2048));
        for (Rope rope : List.of(plain, dynamic)) {
            boolean byLength = rope.scaling().dependsOnLength();
            int rows = byLength ? positions.length : 1;
            double[] frequencies = new double[rows * half];
            int[] row = new int[positions.length];
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < half; i++) {
                    frequencies[r * half + i] =
                            rope.frequency(headDim, i, positions[r] + 1) / Math.PI;
                }
                row[r] = r;
            }
            Gpu.Buffer table = gpu.unwritten(8L * positions.length * half);
            gpu.launch(
                    "rope.cu",
                    options(type, headDim),
                    "rope_table",
                    new Gpu.Grid(positions.length),
                    32,
                    gpu.ints(positions),
                    byLength ? gpu.ints(row) : 0L,
                    gpu.doubles(frequencies),
                    table);
            float[] actual = gpu.readFloats(table);
            for (int t = 0; t < positions.length; t++) {
                for (int i = 0; i < half; i++) {
                    int at = 2 * (t * half + i);
                    if (positions[t] < 0) {
                        assertEquals(-1, Float.floatToRawIntBits(actual[at]), "padding written");
                        continue;
                    }
                    double angle = positions[t] * rope.frequency(headDim, i, positions[t] + 1);
                    // The angle's own rounding, as far as 2^20 turns, and a float's.
                    double error = F32_UNIT + angle * Math.scalb(1.0, -50);
                    near(Math.cos(angle), actual[at], error, "cosine of %s", angle);
                    near(Math.sin(angle), actual[at + 1], error, "sine of %s", angle);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("typesAndHeads")
    void headsAreTurnedAndStoredInTheirBlocks(Element type, int headDim) {
        Random random = random();
        for (int group : new int[] {1, 4, 8}) {
            for (boolean norms : new boolean[] {false, true}) {
                int kvHeads = 1 + random.nextInt(3);
                int[] first = {0, 60, 64, 126, random.nextInt(500)};
                int[] count = {1, 5, 1, 4, 1 + random.nextInt(4)};
                for (int tiles : new int[] {1, 2, 3}) {
                    check(
                            type,
                            new Paged(random, kvHeads, group, headDim, tiles, first, count),
                            norms,
                            random);
                }
            }
        }
    }

    private static void check(Element type, Paged batch, boolean norms, Random random) {
        int dim = batch.headDim;
        int half = dim / 2;
        short[] qkv = type.random(random, batch.tokens() * batch.rowWidth(), 1);
        short[] queryNorm = type.random(random, dim, 1);
        short[] keyNorm = type.random(random, dim, 1);
        float[] table = new float[batch.tokens() * dim];
        for (int i = 0; i < table.length; i += 2) {
            double angle = random.nextDouble() * 7;
            table[i] = (float) Math.cos(angle);
            table[i + 1] = (float) Math.sin(angle);
        }
        int padding = random.nextInt(batch.tokens());
        int kept = batch.positions[padding];
        int[] positions = batch.positions.clone();
        positions[padding] = -1;
        Gpu.Buffer inOut = gpu.shorts(qkv);
        Gpu.Buffer cache = gpu.unwritten(2L * batch.cacheElements());
        gpu.launch(
                "rope.cu",
                options(type, dim),
                "rope_and_store",
                new Gpu.Grid(batch.tokens(), batch.kvHeads),
                128,
                inOut,
                gpu.ints(positions),
                gpu.ints(batch.sequenceOf),
                gpu.ints(batch.blockTable),
                batch.maxBlocks,
                gpu.floats(table),
                norms ? gpu.shorts(queryNorm) : 0L,
                norms ? gpu.shorts(keyNorm) : 0L,
                EPS,
                cache,
                batch.blockElements(),
                batch.blockTiles,
                batch.layer,
                batch.kvHeads,
                batch.group);
        short[] turned = gpu.readShorts(inOut);
        short[] stored = gpu.readShorts(cache);
        boolean[] mayBeWritten = new boolean[stored.length];
        for (int t = 0; t < batch.tokens(); t++) {
            for (int h = 0; h < batch.kvHeads; h++) {
                for (int part = 0; part < batch.group + 2; part++) {
                    int from = batch.qkvAt(t, h, part);
                    boolean value = part == batch.group + 1;
                    boolean query = part < batch.group;
                    int to = from;
                    short[] target = turned;
                    if (!query) {
                        for (int d = 0; d < dim; d++) {
                            assertEquals(qkv[from + d], turned[from + d], "keys and values stay");
                        }
                        int position = t == padding ? kept : positions[t];
                        to = batch.at(batch.sequenceOf[t], position, value ? 1 : 0, h);
                        target = stored;
                    }
                    if (t == padding) {
                        if (query) assertEquals(qkv[from], turned[from], "padding stays");
                        continue;
                    }
                    if (!query) {
                        for (int d = 0; d < dim; d++) mayBeWritten[to + d] = true;
                    }
                    double[] x = new double[dim];
                    for (int d = 0; d < dim; d++) x[d] = type.value(qkv[from + d]);
                    if (!value && norms) normalize(x, type.values(query ? queryNorm : keyNorm));
                    for (int i = 0; i < half; i++) {
                        double c = value ? 1 : table[2 * (t * half + i)];
                        double s = value ? 0 : table[2 * (t * half + i) + 1];
                        double low = x[i] * c - x[i + half] * s;
                        double high = x[i + half] * c + x[i] * s;
                        // The norm's sum, root and products, and the turn's, in f32.
                        double f32 = 40 * F32_UNIT * (Math.abs(x[i]) + Math.abs(x[i + half]));
                        near(
                                low,
                                type.value(target[to + i]),
                                type.roundingOf(low) + f32,
                                "token %d, head %d, part %d, element %d",
                                t,
                                h,
                                part,
                                i);
                        near(
                                high,
                                type.value(target[to + i + half]),
                                type.roundingOf(high) + f32,
                                "token %d, head %d, part %d, element %d",
                                t,
                                h,
                                part,
                                i + half);
                    }
                }
            }
        }
        for (int i = 0; i < stored.length; i++) {
            if (!mayBeWritten[i]) assertEquals(-1, stored[i], "written beside a token's place");
        }
    }

    private static void normalize(double[] x, double[] weight) {
        double sum = 0;
        for (double v : x) sum += v * v;
        double scale = 1 / Math.sqrt(sum / x.length + EPS);
        for (int d = 0; d < x.length; d++) x[d] *= scale * weight[d];
    }
}
