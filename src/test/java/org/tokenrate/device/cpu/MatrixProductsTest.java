package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MatrixProductsTest {
    private static final int ROWS = 100_000;

    @Test
    void bucketsHoldTheirRowsInOrderAndWasteAnEighthAtMost() {
        int before = 0;
        for (int rows = 1; rows <= ROWS; rows++) {
            int bucket = MatrixProducts.bucket(rows);
            assertTrue(bucket >= rows, rows + " rows do not fit " + bucket);
            assertTrue(bucket >= before, "the bucket of " + rows + " rows is smaller again");
            int waste = bucket - rows;
            assertTrue(waste <= Math.max(3, rows / 8), waste + " of " + rows + " rows wasted");
            assertEquals(bucket, MatrixProducts.bucket(bucket), "a bucket is its own bucket");
            before = bucket;
        }
    }

    @Test
    void fewBucketsServeManyRows() {
        long buckets =
                IntStream.rangeClosed(1, 4096).map(MatrixProducts::bucket).distinct().count();
        assertTrue(buckets <= 16 + 8 * 9, buckets + " products for each matrix are too many");
    }
}
