package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorElementsTest {
    @TempDir Path folder;

    private Safetensors write(SafetensorsWriter.Type type) throws IOException {
        Path file = folder.resolve(type + ".safetensors");
        List<SafetensorsWriter.Tensor> tensors =
                List.of(
                        new SafetensorsWriter.Tensor("before", type, 3),
                        new SafetensorsWriter.Tensor("bias", type, 8),
                        new SafetensorsWriter.Tensor("matrix", type, 2, 4));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            writer.write(new float[] {-1, -2, -3});
            writer.write(new float[] {0, 1, 2, 3, 4, 5, 6, 7});
            writer.write(new float[8]);
        }
        return Safetensors.open(file);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void aPartOfAVectorIsAVectorOfItsOwn(SafetensorsWriter.Type type) throws IOException {
        try (Safetensors file = write(type)) {
            TensorData part = file.tensors().get("bias").elements(2, 7);
            assertArrayEquals(new long[] {5}, part.shape());
            assertEquals(1, part.rowCount());
            assertEquals(5, part.rowLength());
            ByteBuffer bytes = part.rows(0, 1);
            assertEquals(5 * part.type().bytes(), bytes.remaining());
            ByteBuffer again = part.elements(1, 3).rows(0, 1);
            for (int i = 0; i < 2; i++) {
                for (int b = 0; b < part.type().bytes(); b++) {
                    assertEquals(bytes.get((i + 1) * part.type().bytes() + b), again.get());
                }
            }
            if (type == SafetensorsWriter.Type.F32) {
                for (int i = 2; i < 7; i++) assertEquals(i, bytes.getFloat());
            }
        }
    }

    @Test
    void elementsThatAVectorDoesNotHaveAreRefused() throws IOException {
        try (Safetensors file = write(SafetensorsWriter.Type.F32)) {
            TensorData bias = file.tensors().get("bias");
            assertThrows(IllegalArgumentException.class, () -> bias.elements(0, 9));
            assertThrows(IllegalArgumentException.class, () -> bias.elements(-1, 2));
            assertThrows(IllegalArgumentException.class, () -> bias.elements(3, 2));
            TensorData matrix = file.tensors().get("matrix");
            assertThrows(IllegalArgumentException.class, () -> matrix.elements(0, 1));
        }
    }
}
