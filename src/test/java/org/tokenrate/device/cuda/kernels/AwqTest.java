package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class AwqTest extends OnGpu {
    /** Where in an int, in nibbles from the lowest, AutoAWQ has each of its eight outputs. */
    private static final int[] PLACE = {0, 4, 1, 5, 2, 6, 3, 7};

    private static final double F32_UNIT = Math.scalb(1.0, -24);

    static Stream<Arguments> typesAndGroups() {
        List<Arguments> all = new ArrayList<>();
        for (Element type : Element.values()) {
            for (int group : new int[] {32, 64, 128}) all.add(Arguments.of(type, group));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("typesAndGroups")
    void productsOfFewRowsAreThoseOfTheWeights(Element type, int groupSize) {
        Random random = random();
        for (int rows : new int[] {1, 3, 8, 9}) {
            int inputs = groupSize * (1 + random.nextInt(7));
            int outputs = 8 * (1 + random.nextInt(9));
            Layer layer = new Layer(random, inputs, outputs, groupSize);
            Packed packed = pack(type, List.of(layer));
            short[] x = type.random(random, rows * inputs, 1);
            short[] bias = type.random(random, outputs, 1);

            Gpu.Buffer out = gpu.unwritten(2L * rows * outputs);
            multiply("awq_multiply", type, packed, x, 0L, out, rows);
            short[] plain = gpu.readShorts(out);
            Gpu.Buffer out32 = gpu.unwritten(4L * rows * outputs);
            multiply("awq_multiply_f32", type, packed, x, gpu.shorts(bias), out32, rows);
            float[] biased = gpu.readFloats(out32);

            for (int r = 0; r < rows; r++) {
                for (int o = 0; o < outputs; o++) {
                    double y = 0;
                    double size = 0;
                    for (int i = 0; i < inputs; i++) {
                        double product = type.value(x[r * inputs + i]) * layer.weight(o, i);
                        y += product;
                        size += Math.abs(product);
                    }
                    int at = r * outputs + o;
                    double b = type.value(bias[o]);
                    double error = F32_UNIT * (inputs + 16) * (size + Math.abs(b) + 10);
                    String what = "%d inputs, %d outputs: row %d, output %d";
                    near(
                            y,
                            type.value(plain[at]),
                            type.roundingOf(y) + error,
                            what,
                            inputs,
                            outputs,
                            r,
                            o);
                    near(y + b, biased[at], error, what, inputs, outputs, r, o);
                }
            }
            gpu.free();
        }
    }

    @ParameterizedTest
    @MethodSource("typesAndGroups")
    void dequantisedWeightsAreRoundedOnce(Element type, int groupSize) {
        Random random = random();
        int inputs = groupSize * (1 + random.nextInt(9));
        // Parts one below the other, none of them a whole number of tiles.
        List<Layer> parts = new ArrayList<>();
        for (int outputs : new int[] {8, 40, 24}) {
            parts.add(new Layer(random, inputs, outputs, groupSize));
        }
        Packed packed = pack(type, parts);
        Gpu.Buffer w = gpu.unwritten(2L * packed.outputs * inputs);
        int inputTiles = (inputs + 63) / 64;
        gpu.launch(
                "awq.cu",
                List.of(type.option()),
                "awq_dequantize",
                new Gpu.Grid(Gpu.blocks(packed.outputs, 16), Gpu.blocks(inputTiles, 8)),
                256,
                packed.nibbles,
                packed.groups,
                w,
                inputs,
                packed.outputs,
                groupSize);
        short[] actual = gpu.readShorts(w);
        int first = 0;
        for (Layer part : parts) {
            for (int o = 0; o < part.outputs; o++) {
                for (int i = 0; i < inputs; i++) {
                    // A product of 11 and 4 bits is exact in f32.
                    assertEquals(
                            type.round(part.weight(o, i)),
                            actual[(first + o) * inputs + i],
                            "output %d, input %d, seed %d".formatted(first + o, i, SEED));
                }
            }
            first += part.outputs;
        }
    }

    @ParameterizedTest
    @MethodSource("typesAndGroups")
    void aMatrixMayBePackedInputsByInputs(Element type, int groupSize) {
        Random random = random();
        Layer layer = new Layer(random, 5 * groupSize, 24, groupSize);
        Packed whole = pack(type, List.of(layer));
        Packed pieces = new Packed(layer.inputs, layer.outputs, groupSize);
        pieces.add(type, layer, 0, 0, 2);
        pieces.add(type, layer, 0, 2, 5);
        assertEquals(
                Arrays.toString(gpu.readInts(whole.nibbles)),
                Arrays.toString(gpu.readInts(pieces.nibbles)),
                "seed " + SEED);
        assertEquals(
                Arrays.toString(gpu.readInts(whole.groups)),
                Arrays.toString(gpu.readInts(pieces.groups)),
                "seed " + SEED);
    }

    private static void multiply(
            String kernel,
            Element type,
            Packed packed,
            short[] x,
            Object bias,
            Gpu.Buffer y,
            int rows) {
        gpu.launch(
                "awq.cu",
                List.of(type.option()),
                kernel,
                new Gpu.Grid(Gpu.blocks(packed.outputs, 16), Gpu.blocks(rows, 8)),
                256,
                gpu.shorts(x),
                packed.nibbles,
                packed.groups,
                bias,
                y,
                rows,
                packed.inputs,
                packed.outputs,
                packed.groupSize);
    }

    private static Packed pack(Element type, List<Layer> parts) {
        int outputs = parts.stream().mapToInt(p -> p.outputs).sum();
        Packed packed = new Packed(parts.get(0).inputs, outputs, parts.get(0).groupSize);
        int first = 0;
        for (Layer part : parts) {
            packed.add(type, part, first, 0, part.inputs / part.groupSize);
            first += part.outputs;
        }
        return packed;
    }

    /** A matrix as the kernels have it. */
    private static final class Packed {
        final int inputs;
        final int outputs;
        final int groupSize;
        final int inputTiles;
        final Gpu.Buffer nibbles;
        final Gpu.Buffer groups;

        Packed(int inputs, int outputs, int groupSize) {
            this.inputs = inputs;
            this.outputs = outputs;
            this.groupSize = groupSize;
            inputTiles = (inputs + 63) / 64;
            int outputTiles = (outputs + 15) / 16;
            nibbles = gpu.zeros(512L * outputTiles * inputTiles);
            groups = gpu.zeros(64L * outputTiles * (inputs / groupSize));
        }

        /** Packs groups {@code from} to {@code to} of a layer's inputs. */
        void add(Element type, Layer layer, int firstOutput, int from, int to) {
            int words = layer.outputs / 8;
            int first = from * groupSize;
            int count = (to - from) * groupSize;
            int tilesAcross = (first + count - 1) / 64 - first / 64 + 1;
            int tilesDown = (firstOutput + layer.outputs - 1) / 16 - firstOutput / 16 + 1;
            gpu.launch(
                    "awq.cu",
                    List.of(type.option()),
                    "awq_pack_weights",
                    new Gpu.Grid(Gpu.blocks(128L * tilesAcross * tilesDown, 256)),
                    256,
                    gpu.ints(
                            Arrays.copyOfRange(
                                    layer.qweight, first * words, (first + count) * words)),
                    nibbles,
                    count,
                    layer.outputs,
                    firstOutput,
                    first,
                    inputTiles);
            gpu.launch(
                    "awq.cu",
                    List.of(type.option()),
                    "awq_pack_groups",
                    new Gpu.Grid(Gpu.blocks((long) (to - from) * layer.outputs, 256)),
                    256,
                    gpu.ints(Arrays.copyOfRange(layer.qzeros, from * words, to * words)),
                    gpu.shorts(
                            Arrays.copyOfRange(
                                    layer.scales, from * layer.outputs, to * layer.outputs)),
                    groups,
                    to - from,
                    layer.outputs,
                    firstOutput,
                    from,
                    inputs / groupSize);
        }
    }

    /** A random layer in AutoAWQ's gemm layout. */
    private static final class Layer {
        final int inputs;
        final int outputs;
        final int groupSize;
        final int[] qweight;
        final int[] qzeros;
        final short[] scales;

        Layer(Random random, int inputs, int outputs, int groupSize) {
            this.inputs = inputs;
            this.outputs = outputs;
            this.groupSize = groupSize;
            qweight = random.ints(inputs * outputs / 8).toArray();
            qzeros = random.ints(inputs / groupSize * outputs / 8).toArray();
            scales = Element.F16.random(random, inputs / groupSize * outputs, 0.02);
        }

        private int nibble(int[] ints, int row, int o) {
            return ints[row * (outputs / 8) + o / 8] >>> 4 * PLACE[o % 8] & 15;
        }

        double weight(int o, int i) {
            int group = i / groupSize;
            return (nibble(qweight, i, o) - nibble(qzeros, group, o))
                    * Element.F16.value(scales[group * outputs + o]);
        }
    }
}
