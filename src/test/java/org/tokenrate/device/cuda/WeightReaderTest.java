package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

class WeightReaderTest {
    /** A matrix of two rows. */
    private static TensorData data(DType type, ByteBuffer bytes) {
        long columns = bytes.capacity() / 2 / type.bytes();
        return new TensorData() {
            @Override
            public String name() {
                return "layer.weight";
            }

            @Override
            public DType type() {
                return type;
            }

            @Override
            public long[] shape() {
                return new long[] {2, columns};
            }

            @Override
            public ByteBuffer rows(long from, long to) {
                int rowBytes = (int) columns * type.bytes();
                return bytes.slice((int) from * rowBytes, (int) (to - from) * rowBytes)
                        .order(ByteOrder.LITTLE_ENDIAN);
            }
        };
    }

    private static TensorData floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return data(DType.F32, bytes);
    }

    private static TensorData halves(DType type, int... bits) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int b : bits) bytes.putShort((short) b);
        return data(type, bytes.rewind());
    }

    private static short[] read(TensorData data, long first, int count, DType type)
            throws IOException {
        ByteBuffer into = ByteBuffer.allocateDirect(2 * count);
        WeightReader.read(data, first, type, into);
        short[] read = new short[count];
        into.rewind().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(read);
        return read;
    }

    @Test
    void elementsOfTheSameTypeAreTakenAsTheyAre() throws IOException {
        TensorData data = halves(DType.F16, 0x3c00, 0x7e01, 0x0001, 0x8000);
        assertArrayEquals(new short[] {0x7e01, 1}, read(data, 1, 2, DType.F16));
    }

    @Test
    void floatsAreRoundedToEitherType() throws IOException {
        TensorData data = floats(1f, -2f, 0.1f, 3e38f);
        assertArrayEquals(
                new short[] {0x3f80, (short) 0xc000, 0x3dcd, 0x7f62}, read(data, 0, 4, DType.BF16));
        assertArrayEquals(new short[] {(short) 0xc000, 0x2e66}, read(data, 1, 2, DType.F16));
    }

    @Test
    void theTwo16BitTypesAreBroughtToEachOther() throws IOException {
        assertArrayEquals(
                new short[] {0x3f80, 0x3380}, read(halves(DType.F16, 0x3c00, 1), 0, 2, DType.BF16));
        assertArrayEquals(
                new short[] {0x3c00, 1}, read(halves(DType.BF16, 0x3f80, 0x3380), 0, 2, DType.F16));
    }

    @Test
    void aNumberThatF16DoesNotHoldIsAnError() {
        IOException e =
                assertThrows(IOException.class, () -> read(floats(1f, 70000f), 0, 2, DType.F16));
        assertEquals(
                "layer.weight has the number 70000.0, which f16 does not hold (it ends at 65504);"
                        + " use dtype=bf16 on a GPU that has it",
                e.getMessage());
    }

    @Test
    void integersAreNoWeights() {
        TensorData data = data(DType.I32, ByteBuffer.allocate(16));
        String message =
                assertThrows(IOException.class, () -> read(data, 0, 2, DType.BF16)).getMessage();
        assertTrue(message.contains("layer.weight holds integers"), message);
    }
}
