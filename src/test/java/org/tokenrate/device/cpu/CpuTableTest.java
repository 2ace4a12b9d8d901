package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.checkpoint.DType;

class CpuTableTest {
    @ParameterizedTest
    @CsvSource({"F32, 1", "F16, 2", "BF16, 3"})
    void rowsInSeveralBuffersAreReadAsTheyAreStored(DType stored, int threads) throws IOException {
        long seed = 8;
        ArrayTensor data = ArrayTensor.random(new Random(seed), stored, 50, 37);
        int rowBytes = 37 * stored.bytes();
        try (WeightMemory memory = new WeightMemory();
                Team team = new Team(threads)) {
            for (int blockBytes : new int[] {1, rowBytes, 7 * rowBytes + 3, 50 * rowBytes}) {
                CpuTable table = new CpuTable(data, memory, team, blockBytes);
                assertEquals(50L * rowBytes, table.bytes());
                float[] got = new float[37];
                for (int row = 0; row < 50; row++) {
                    table.row(row, got, new short[37]);
                    float[] expected = new float[37];
                    for (int c = 0; c < 37; c++) expected[c] = data.value(row, c);
                    assertArrayEquals(expected, got, "row " + row + ", seed " + seed);
                }
            }
        }
    }
}
