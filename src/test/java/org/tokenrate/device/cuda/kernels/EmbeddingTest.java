package org.tokenrate.device.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokenrate.softgpu.OnSoftGpu;

@OnSoftGpu
final class EmbeddingTest extends OnGpu {
    @ParameterizedTest
    @EnumSource
    void aTokensRowIsCopied(Element type) {
        Random random = random();
        for (int hidden : new int[] {8, 64, 1024, 1040, 4096}) {
            int vocabulary = 1 + random.nextInt(50);
            int tokens = 1 + random.nextInt(9);
            short[] table = type.random(random, vocabulary * hidden, 1);
            int[] ids = random.ints(tokens, 0, vocabulary).toArray();
            ids[0] = vocabulary - 1;
            Gpu.Buffer x = gpu.unwritten(4L * tokens * hidden);
            gpu.launch(
                    "embedding.cu",
                    List.of(type.option()),
                    "embed",
                    new Gpu.Grid(tokens),
                    128,
                    gpu.shorts(table),
                    gpu.ints(ids),
                    x,
                    hidden);
            float[] actual = gpu.readFloats(x);
            for (int i = 0; i < actual.length; i++) {
                double expected = type.value(table[ids[i / hidden] * hidden + i % hidden]);
                assertEquals(expected, actual[i], "token " + i / hidden + ", seed " + SEED);
            }
        }
    }
}
