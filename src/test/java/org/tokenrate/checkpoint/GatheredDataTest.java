package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** Matrices put together from parts in a file, row by row. */
class GatheredDataTest {
    @TempDir Path folder;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @RepeatedTest(20)
    void partsBelowEachOtherAreOneMatrix() throws IOException {
        float[][] whole = matrix(12, 5);
        int shards = List.of(1, 2, 3, 4).get(random.nextInt(4));
        List<float[][]> parts = new ArrayList<>();
        for (int s = 0; s < shards; s++) parts.add(rows(whole, s * 12 / shards, 12 / shards));
        try (Safetensors file = write(parts)) {
            assertHolds(whole, new JoinedRows("joined", tensors(file)));
        }
    }

    @RepeatedTest(20)
    void partsSideBySideAreOneMatrix() throws IOException {
        float[][] whole = matrix(7, 12);
        int shards = List.of(2, 3, 4, 6).get(random.nextInt(4));
        List<float[][]> parts = new ArrayList<>();
        for (int s = 0; s < shards; s++) {
            float[][] part = new float[7][12 / shards];
            for (int r = 0; r < 7; r++) {
                System.arraycopy(whole[r], s * 12 / shards, part[r], 0, 12 / shards);
            }
            parts.add(part);
        }
        try (Safetensors file = write(parts)) {
            assertHolds(whole, new JoinedColumns("joined", tensors(file)));
        }
    }

    @RepeatedTest(20)
    void someColumnsAreAMatrixAndSoAreSomeOfThose() throws IOException {
        float[][] whole = matrix(7, 12);
        int from = random.nextInt(11);
        int to = from + 1 + random.nextInt(12 - from);
        float[][] some = new float[7][];
        float[][] one = new float[7][];
        for (int r = 0; r < 7; r++) {
            some[r] = Arrays.copyOfRange(whole[r], from, to);
            one[r] = Arrays.copyOfRange(whole[r], to - 1, to);
        }
        try (Safetensors file = write(List.<float[][]>of(whole))) {
            TensorData columns = new JoinedRows("joined", tensors(file)).columns(from, to);
            assertHolds(some, columns);
            assertHolds(one, columns.columns(to - from - 1, to - from));
        }
    }

    @Test
    void columnsThatAreNotThereAreRefused() throws IOException {
        try (Safetensors file = write(List.<float[][]>of(matrix(2, 5)))) {
            TensorData data = tensors(file).get(0);
            for (int[] range : new int[][] {{-1, 2}, {3, 3}, {4, 6}}) {
                var e =
                        assertThrows(
                                IllegalArgumentException.class,
                                () -> data.columns(range[0], range[1]));
                assertTrue(e.getMessage().endsWith(range[0] + " to " + range[1]), e.getMessage());
            }
        }
    }

    @RepeatedTest(20)
    void rotaryRowsComeInHalvesOfEachHead() throws IOException {
        int headDim = 2 * (1 + random.nextInt(5));
        int heads = 4;
        float[][] interleaved = matrix(heads * headDim, 3);
        float[][] halves = new float[heads * headDim][];
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < headDim / 2; j++) {
                for (int p = 0; p < 2; p++) {
                    halves[h * headDim + p * headDim / 2 + j] =
                            interleaved[h * headDim + 2 * j + p];
                }
            }
        }
        List<float[][]> parts = new ArrayList<>();
        for (int s = 0; s < 2; s++) {
            parts.add(rows(interleaved, s * 2 * headDim, 2 * headDim));
        }
        try (Safetensors file = write(parts)) {
            assertHolds(
                    halves, new HalfSplitRows(new JoinedRows("joined", tensors(file)), headDim));
        }
    }

    @Test
    void rowsOfOnePartStayMapped() throws IOException {
        float[][] whole = matrix(8, 4);
        try (Safetensors file = write(List.of(rows(whole, 0, 4), rows(whole, 4, 4)))) {
            TensorData joined = new JoinedRows("joined", tensors(file));
            assertTrue(joined.rows(0, 4).isReadOnly(), "a mapped buffer is read-only");
            assertTrue(joined.rows(5, 8).isReadOnly(), "a mapped buffer is read-only");
            assertTrue(!joined.rows(3, 5).isReadOnly(), "rows of two parts are copied");
        }
    }

    @Test
    void rowsThatAreNotThereAndTooManyAreRefused() throws IOException {
        float[][] whole = matrix(2, 4);
        try (Safetensors file = write(List.<float[][]>of(whole))) {
            TensorData joined = new JoinedColumns("joined", List.of(tensors(file).get(0)));
            assertThrows(IndexOutOfBoundsException.class, () -> joined.rows(-1, 1));
            assertThrows(IndexOutOfBoundsException.class, () -> joined.rows(1, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> joined.rows(0, 3));
        }
        TensorData huge = new HalfSplitRows(new Claimed(1 << 20, 1 << 20), 128);
        assertEquals(
                "rows 0 to 1024 of claimed take 4294967296 bytes, but a buffer holds 2147483647;"
                        + " ask for fewer",
                assertThrows(IllegalArgumentException.class, () -> huge.rows(0, 1024))
                        .getMessage());
    }

    /** A tensor of a shape, with nothing in it. */
    private record Claimed(long height, long width) implements TensorData {
        @Override
        public String name() {
            return "claimed";
        }

        @Override
        public DType type() {
            return DType.F32;
        }

        @Override
        public long[] shape() {
            return new long[] {height, width};
        }

        @Override
        public ByteBuffer rows(long from, long to) {
            throw new AssertionError("nothing is to be read");
        }
    }

    /** Every range of rows is there, in a direct buffer of just these. */
    private void assertHolds(float[][] expected, TensorData data) throws IOException {
        assertEquals("joined", data.name());
        assertEquals(expected.length, data.rowCount());
        assertEquals(expected[0].length, data.rowLength());
        for (int from = 0; from <= expected.length; from++) {
            for (int to = from; to <= expected.length; to++) {
                ByteBuffer rows = data.rows(from, to);
                String what = "rows " + from + " to " + to + ", seed " + seed;
                assertTrue(rows.isDirect() && rows.order() == ByteOrder.LITTLE_ENDIAN, what);
                assertEquals((to - from) * expected[0].length * 4, rows.remaining(), what);
                for (int r = from; r < to; r++) {
                    for (float value : expected[r]) assertEquals(value, rows.getFloat(), what);
                }
            }
        }
        assertReadsAnywhere(expected, data);
    }

    /** Any run of elements fills what is left of a buffer, and nothing beside it. */
    private void assertReadsAnywhere(float[][] expected, TensorData data) throws IOException {
        int columns = expected[0].length;
        int size = expected.length * columns;
        for (int i = 0; i < 50; i++) {
            int first = random.nextInt(size + 1);
            int count = random.nextInt(size - first + 1);
            ByteBuffer into = ByteBuffer.allocate(4 * (count + 2)).order(ByteOrder.LITTLE_ENDIAN);
            into.position(4).limit(4 * (count + 1));
            data.read(first, into);
            String what = count + " elements from " + first + ", seed " + seed;
            assertEquals(0, into.remaining(), what);
            assertEquals(4 * (count + 1), into.limit(), what);
            into.clear();
            assertEquals(0, into.getFloat(0), what);
            assertEquals(0, into.getFloat(4 * (count + 1)), what);
            for (int e = 0; e < count; e++) {
                float value = expected[(first + e) / columns][(first + e) % columns];
                assertEquals(value, into.getFloat(4 * (e + 1)), what);
            }
        }
        ByteBuffer tooMuch = ByteBuffer.allocate(8);
        assertThrows(IndexOutOfBoundsException.class, () -> data.read(size - 1, tooMuch));
        assertThrows(IndexOutOfBoundsException.class, () -> data.read(-1, tooMuch));
    }

    private float[][] matrix(int rows, int columns) {
        float[][] matrix = new float[rows][columns];
        for (float[] row : matrix) {
            for (int i = 0; i < columns; i++) row[i] = (float) random.nextGaussian();
        }
        return matrix;
    }

    private static float[][] rows(float[][] matrix, int from, int count) {
        return Arrays.copyOfRange(matrix, from, from + count);
    }

    private Safetensors write(List<float[][]> parts) throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            float[][] part = parts.get(i);
            tensors.add(new Tensor("part" + i, Type.F32, part.length, part[0].length));
        }
        Path file = folder.resolve("parts.safetensors");
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (float[][] part : parts) for (float[] row : part) writer.write(row);
        }
        return Safetensors.open(file);
    }

    private static List<TensorData> tensors(Safetensors file) {
        return List.copyOf(file.tensors().values());
    }
}
