package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GraphsTest {
    private static final int MOST = 512;

    @Test
    void batchesAreFilledUpByLittleAndToFewSizes() {
        for (int tokens = 1; tokens <= MOST; tokens++) {
            int size = Graphs.bucket(tokens, MOST);
            assertTrue(size >= tokens && size <= MOST, tokens + " became " + size);
            assertEquals(size, Graphs.bucket(size, MOST), "a size stays itself");
            if (tokens > 8) assertTrue(size < tokens * 1.8, tokens + " became " + size);
        }
        long sizes =
                IntStream.rangeClosed(1, MOST).map(t -> Graphs.bucket(t, MOST)).distinct().count();
        assertTrue(sizes <= 25, sizes + " sizes");
    }

    @Test
    void noBatchIsFilledUpBeyondWhatThereIsRoomFor() {
        assertEquals(100, Graphs.bucket(97, 100));
        assertEquals(3, Graphs.bucket(3, 3));
    }
}
