package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.model.ModelTensors.Kind;

class RandomTensorsTest {
    private final RandomTensors tensors = new RandomTensors(7);

    @Test
    void rowsAreTheSameHoweverTheyAreAskedFor() throws IOException {
        TensorData tensor =
                tensors.numbers("model.layers.3.mlp.up_proj.weight", Kind.LINEAR, 50, 37);
        ByteBuffer whole = tensor.rows(0, 50);
        for (int row = 0; row < 50; row++) {
            ByteBuffer one =
                    new RandomTensors(7)
                            .numbers(tensor.name(), Kind.LINEAR, 50, 37)
                            .rows(row, row + 1);
            assertEquals(whole.slice(row * 37 * 2, 37 * 2), one.slice(), "row " + row);
        }
    }

    @Test
    void elementsAreTheSameFromAnyPlaceOn() throws IOException {
        for (TensorData tensor :
                List.of(
                        tensors.numbers("x.weight", Kind.LINEAR, 9, 37),
                        tensors.packed("x.qweight", 9, 37),
                        tensors.scales("x.scales", 64, 9, 37))) {
            int bytes = tensor.type().bytes();
            ByteBuffer whole = tensor.rows(0, 9);
            for (int first = 0; first < 9 * 37; first += 5) {
                ByteBuffer part = ByteBuffer.allocate(Math.min(50, 9 * 37 - first) * bytes);
                tensor.read(first, part);
                ByteBuffer expected = whole.slice(first * bytes, part.capacity());
                assertEquals(expected, part.flip(), tensor.name() + " from " + first);
            }
        }
    }

    @Test
    void seedNameAndRowEachChangeTheWeights() throws IOException {
        ByteBuffer rows = tensors.numbers("a.weight", Kind.LINEAR, 2, 64).rows(0, 2);
        assertNotEquals(rows.slice(0, 128), rows.slice(128, 128));
        assertNotEquals(
                rows.slice(), tensors.numbers("b.weight", Kind.LINEAR, 2, 64).rows(0, 2).slice());
        assertNotEquals(
                rows.slice(),
                new RandomTensors(8).numbers("a.weight", Kind.LINEAR, 2, 64).rows(0, 2).slice());
    }

    @Test
    void matricesKeepTheSizeOfWhatTheyProjectAndNormsLieAroundOne() throws IOException {
        assertSpread(tensors.numbers("x.weight", Kind.LINEAR, 400, 512), 0, 1 / Math.sqrt(512));
        assertSpread(
                tensors.numbers("model.layers.0.input_layernorm.weight", Kind.NORM, 40_000),
                1,
                0.1);
        assertSpread(
                tensors.numbers("model.layers.0.self_attn.q_proj.bias", Kind.BIAS, 40_000), 0, 0.1);
    }

    private static void assertSpread(TensorData tensor, double mean, double deviation)
            throws IOException {
        ByteBuffer rows = tensor.rows(0, tensor.rowCount());
        int count = rows.remaining() / 2;
        double sum = 0;
        double squares = 0;
        while (rows.hasRemaining()) {
            double value = Float.intBitsToFloat(rows.getShort() << 16);
            sum += value;
            squares += (value - mean) * (value - mean);
        }
        assertEquals(mean, sum / count, 5 * deviation / Math.sqrt(count), tensor.name());
        assertEquals(deviation, Math.sqrt(squares / count), 0.03 * deviation, tensor.name());
    }

    @Test
    void anotherOrderOfRowsHasTheSameWeights() throws IOException {
        TensorData plain = tensors.numbers("q.weight", Kind.LINEAR, 10, 16);
        TensorData turned = tensors.numbers("q.weight", Kind.LINEAR, row -> 9 - row, 10, 16);
        for (int row = 0; row < 10; row++) {
            assertEquals(plain.rows(9 - row, 10 - row).slice(), turned.rows(row, row + 1).slice());
        }
    }

    @Test
    void fourBitScalesGiveWeightsOfTheSameSize() throws IOException {
        ByteBuffer codes = tensors.packed("x.qweight", 2048, 8).rows(0, 2048);
        ByteBuffer zeros = tensors.packed("x.qzeros", 16, 8).rows(0, 16);
        short scale = tensors.scales("x.scales", 2048, 16, 64).rows(3, 4).getShort();
        double value = (1 + (scale & 0x3ff) / 1024.0) * Math.pow(2, (scale >> 10 & 31) - 15);
        double squares = 0;
        for (int input = 0; input < 2048; input++) {
            for (int output = 0; output < 64; output++) {
                int code = nibble(codes, input * 8, output);
                int zero = nibble(zeros, input / 128 * 8, output);
                squares += Math.pow((code - zero) * value, 2);
            }
        }
        assertEquals(1, Math.sqrt(squares / 64), 0.1); // the expected length of a row
    }

    private static int nibble(ByteBuffer packed, int firstWord, int output) {
        int word = packed.order(ByteOrder.LITTLE_ENDIAN).getInt(4 * (firstWord + output / 8));
        return word >>> 4 * (output % 8) & 15;
    }
}
