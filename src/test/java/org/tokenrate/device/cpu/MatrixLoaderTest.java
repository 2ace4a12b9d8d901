package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.tokenrate.device.cpu.CpuTypes.assumeMultiplied;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/** What loading makes of a matrix, byte for byte, against one reorder of the whole by oneDNN. */
class MatrixLoaderTest {
    private static final int[] INPUTS = {1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 100, 255, 256, 512};

    /** Few rows; rows that end inside a block; more chunks than one. */
    private static final int[] OUTPUTS = {1, 15, 16, 17, 63, 64, 65, 100, 129, 200, 700};

    @ParameterizedTest
    @CsvSource({"F32, 1", "F32, 2", "F32, 3", "BF16, 1", "BF16, 2", "BF16, 3"})
    void everySliceIsWhatOneReorderOfTheWholeMakes(DType dtype, int threads) throws IOException {
        assumeMultiplied(dtype);
        try (Team team = new Team(threads)) {
            for (long seed = 0; seed < 40; seed++) {
                Random random = new Random(seed);
                int inputs = INPUTS[random.nextInt(INPUTS.length)];
                compare(dtype, team, randomParts(random, inputs), "seed " + seed);
            }
        }
    }

    /** Rows of half a megabyte: a chunk is a block of outputs. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void wideRowsAreLoadedInManyChunks(DType stored) throws IOException {
        assumeMultiplied(DType.BF16);
        Random random = new Random(3);
        try (Team team = new Team(2)) {
            for (int inputs : new int[] {8192, 9001}) {
                List<TensorData> parts =
                        List.of(
                                ArrayTensor.random(random, stored, 300, inputs),
                                ArrayTensor.random(random, stored, 33, inputs));
                compare(DType.BF16, team, parts, stored + " of " + inputs);
            }
        }
    }

    /** Where weights are not moved as pairs, they go through arithmetic. */
    private static boolean isSubnormalOrSignalling(int bits) {
        int exponent = bits & 0x7f80;
        boolean quiet = (bits & 0x40) != 0;
        return exponent == 0 || exponent == 0x7f80 && !quiet && (bits & 0x3f) != 0;
    }

    @Test
    void bitsThatAreNoNumbersAreKept() throws IOException {
        assumeMultiplied(DType.BF16);
        ByteBuffer bits = ByteBuffer.allocateDirect(65536 * 2).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 65536; i++) bits.putShort((short) i);
        var all = new ArrayTensor(DType.BF16, 512, 128, new float[0], bits.flip());
        try (Team team = new Team(2)) {
            List<byte[]> slices = load(DType.BF16, team, List.of(all));
            boolean[] seen = new boolean[65536];
            for (byte[] slice : slices) {
                ByteBuffer weights = ByteBuffer.wrap(slice).order(ByteOrder.nativeOrder());
                while (weights.hasRemaining()) seen[weights.getShort() & 0xffff] = true;
            }
            for (int i = 0; i < seen.length; i++) {
                if (OneDnn.hasBf16() || !isSubnormalOrSignalling(i)) {
                    assertEquals(true, seen[i], "bits " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "2"})
    void aFileThatCannotBeReadIsTheCallersError(int threads) {
        ArrayTensor data = ArrayTensor.random(new Random(1), DType.F32, 500, 64);
        TensorData broken =
                new TensorData() {
                    @Override
                    public String name() {
                        return "broken";
                    }

                    @Override
                    public DType type() {
                        return DType.F32;
                    }

                    @Override
                    public long[] shape() {
                        return data.shape();
                    }

                    @Override
                    public ByteBuffer rows(long from, long to) throws IOException {
                        throw new IOException("the disk is on fire");
                    }
                };
        try (Team team = new Team(threads)) {
            IOException e =
                    assertThrows(IOException.class, () -> load(DType.F32, team, List.of(broken)));
            assertEquals("the disk is on fire", e.getMessage());
        }
    }

    private static List<TensorData> randomParts(Random random, int inputs) {
        DType[] types = {DType.F32, DType.F16, DType.BF16};
        DType same = types[random.nextInt(3)];
        boolean mixed = random.nextInt(3) == 0;
        List<TensorData> parts = new ArrayList<>();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            DType type = mixed ? types[random.nextInt(3)] : same;
            int outputs = OUTPUTS[random.nextInt(OUTPUTS.length)];
            ArrayTensor whole = ArrayTensor.random(random, type, outputs + 2, inputs);
            parts.add(whole.slice(1, outputs + 1));
        }
        return parts;
    }

    private static void compare(DType dtype, Team team, List<TensorData> parts, String what)
            throws IOException {
        List<byte[]> got = load(dtype, team, parts);
        List<byte[]> expected = reorderWhole(dtype, team.threads(), parts);
        what += ", %s in %s, %d threads".formatted(shapes(parts), dtype, team.threads());
        assertEquals(expected.size(), got.size(), what);
        for (int i = 0; i < got.size(); i++) {
            assertArrayEquals(expected.get(i), got.get(i), "slice " + i + ": " + what);
        }
    }

    private static String shapes(List<TensorData> parts) {
        return parts.stream().map(p -> p.type() + Arrays.toString(p.shape())).toList().toString();
    }

    private static List<byte[]> load(DType dtype, Team team, List<TensorData> parts)
            throws IOException {
        try (MatrixProducts products = new MatrixProducts(CpuDevice.inputType(dtype), dtype);
                WeightMemory memory = new WeightMemory();
                MatrixLoader loader = new MatrixLoader(products, team, memory)) {
            // Memory as it may come from the system's heap: padding must be written, too.
            BytePointer dirty = memory.allocate(1 << 20);
            Pointer.memset(dirty, 0xa5, 1 << 20);
            // A loader keeps its stages: what other matrices left in them must not matter.
            for (DType stored : List.of(DType.F32, DType.BF16, DType.F16)) {
                loader.load(List.of(ArrayTensor.random(new Random(1), stored, 70, 37))).free();
            }
            loader.load(parts).free();
            CpuMatrix matrix = loader.load(parts);
            List<byte[]> slices = matrix.toBytes();
            matrix.free();
            return slices;
        }
    }

    /** All rows as floats, or as bf16 where they are that, reordered slice by slice at once. */
    private static List<byte[]> reorderWhole(DType dtype, int threads, List<TensorData> parts)
            throws IOException {
        int inputs = (int) parts.get(0).rowLength();
        int outputs = (int) parts.stream().mapToLong(TensorData::rowCount).sum();
        float[] values = floats(parts, inputs * outputs);
        if (dtype == DType.BF16) {
            for (int i = 0; i < values.length; i++) {
                values[i] = Bf16.toFloat(Bf16.bits(values[i]));
            }
        }
        List<byte[]> slices = new ArrayList<>();
        try (MatrixProducts products = new MatrixProducts(CpuDevice.inputType(dtype), dtype)) {
            int first = 0;
            for (int count : products.slices(outputs, threads)) {
                BytePointer rows = OneDnn.allocate((long) count * inputs * Float.BYTES);
                rows.asByteBuffer()
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer()
                        .put(values, first * inputs, count * inputs);
                DType type = products.weightsType(count);
                int firstInput = 0;
                for (int span : products.spans(inputs, count)) {
                    dnnl_memory_desc layout = products.weightsLayout(span, count);
                    var place = new WeightsLayout(layout, span, count, type.bytes());
                    BytePointer to = OneDnn.allocate(place.bytes());
                    try (Reorder reorder =
                            new Reorder(
                                    Reorder.rows(
                                            MatrixProducts.dnnlType(DType.F32),
                                            span,
                                            count,
                                            inputs),
                                    layout)) {
                        reorder.run(rows.getPointer((long) firstInput * Float.BYTES), to);
                    }
                    byte[] bytes = new byte[(int) (to.limit() - to.position())];
                    to.get(bytes);
                    slices.add(bytes);
                    to.deallocate();
                    firstInput += span;
                }
                first += count;
                rows.deallocate();
            }
        }
        return slices;
    }

    private static float[] floats(List<TensorData> parts, int count) throws IOException {
        float[] values = new float[count];
        int i = 0;
        for (TensorData part : parts) {
            ByteBuffer rows = part.rows(0, part.rowCount());
            while (rows.hasRemaining()) {
                values[i++] =
                        switch (part.type()) {
                            case F32 -> rows.getFloat();
                            case F16 -> Half.toFloat(rows.getShort());
                            default -> Bf16.toFloat(rows.getShort());
                        };
            }
        }
        return values;
    }
}
