package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link TensorData#read} of a file, by default, of slices and when watched. */
class TensorReadTest {
    private static final int ROWS = 300;
    private static final int COLUMNS = 2001;

    @TempDir Path folder;
    private Path file;
    private Safetensors safetensors;
    private TensorData stored;

    @BeforeEach
    void write() throws IOException {
        file = folder.resolve("model.safetensors");
        var tensors =
                List.of(
                        new SafetensorsWriter.Tensor(
                                "w", SafetensorsWriter.Type.F32, ROWS, COLUMNS));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            float[] row = new float[COLUMNS];
            for (int r = 0; r < ROWS; r++) {
                for (int c = 0; c < COLUMNS; c++) row[c] = r * COLUMNS + c;
                writer.write(row);
            }
        }
        safetensors = Safetensors.open(file);
        stored = safetensors.tensors().get("w");
    }

    @AfterEach
    void close() throws IOException {
        safetensors.close();
    }

    private static void check(TensorData tensor, int first, int count, int firstNumber)
            throws IOException {
        ByteBuffer into = ByteBuffer.allocateDirect(4 * count + 8).order(ByteOrder.LITTLE_ENDIAN);
        into.position(4).limit(4 + 4 * count);
        tensor.read(first, into);
        assertEquals(into.limit(), into.position());
        for (int i = 0; i < count; i++) {
            assertEquals(firstNumber + i, into.getFloat(4 + 4 * i), "element " + (first + i));
        }
        assertEquals(0, into.limit(into.capacity()).getInt(4 + 4 * count), "beyond the limit");
    }

    /** The same tensor with the interface's own way of reading. */
    private static TensorData byRows(TensorData tensor) {
        return new TensorData() {
            @Override
            public String name() {
                return tensor.name();
            }

            @Override
            public DType type() {
                return tensor.type();
            }

            @Override
            public long[] shape() {
                return tensor.shape();
            }

            @Override
            public ByteBuffer rows(long from, long to) throws IOException {
                return tensor.rows(from, to);
            }
        };
    }

    @Test
    void anyRunOfElementsIsReadFromTheFileAndByRows() throws IOException {
        long seed = 17;
        Random random = new Random(seed);
        for (int i = 0; i < 30; i++) {
            int first = random.nextInt(ROWS * COLUMNS);
            int count = random.nextInt(ROWS * COLUMNS - first) + 1;
            check(stored, first, count, first);
            check(byRows(stored), first, count, first);
        }
        check(stored, 0, ROWS * COLUMNS, 0);
        check(byRows(stored), 0, ROWS * COLUMNS, 0);
    }

    @Test
    void aSliceCountsFromItsOwnFirstRow() throws IOException {
        check(stored.slice(10, 20), 5, COLUMNS, 10 * COLUMNS + 5);
        check(stored.slice(10, 20).slice(3, 4), 7, 100, 13 * COLUMNS + 7);
    }

    @Test
    void whatIsReadIsToldToTheOneWhoWatches() throws IOException {
        AtomicLong bytes = new AtomicLong();
        try (OneTensor checkpoint = new OneTensor(stored)) {
            var watched = new WatchedCheckpoint(checkpoint, bytes::addAndGet);
            check(watched.tensor("w", ROWS, COLUMNS).slice(1, 5), 0, 10, COLUMNS);
            assertEquals(40, bytes.get());
            DenseData dense = (DenseData) watched.linear("w", ROWS, COLUMNS);
            dense.rows().rows(0, 2);
            assertEquals(40 + 2 * COLUMNS * 4, bytes.get());
        }
    }

    @Test
    void moreThanThereIsIsRefused() {
        ByteBuffer two = ByteBuffer.allocate(8);
        assertThrows(IndexOutOfBoundsException.class, () -> stored.read(ROWS * COLUMNS - 1, two));
        assertThrows(IndexOutOfBoundsException.class, () -> stored.read(-1, two));
    }

    @Test
    void aFileCutShortWhileItIsOpenIsAnErrorByName() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(5000);
        }
        var e =
                assertThrows(
                        CheckpointException.class,
                        () -> stored.read(0, ByteBuffer.allocateDirect(4 * COLUMNS)));
        assertTrue(e.getMessage().contains("model.safetensors"), e.getMessage());
        assertTrue(e.getMessage().contains("5000"), e.getMessage());
    }

    private record OneTensor(TensorData tensor) implements Checkpoint {
        @Override
        public Set<String> names() {
            return Set.of("w.weight");
        }

        @Override
        public TensorData tensor(String name, long... shape) {
            return tensor;
        }

        @Override
        public String sha256() {
            return "";
        }

        @Override
        public void close() {}
    }
}
