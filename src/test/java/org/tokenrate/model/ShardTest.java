package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.model.Shard.Range;

class ShardTest {
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    private static ModelConfig config(int heads, int kvHeads, int middle, int vocabulary) {
        return RandomModel.llama(64, 1, heads, kvHeads, 32, middle, vocabulary, false);
    }

    @RepeatedTest(200)
    void everythingBelongsToExactlyOneRank() {
        int ranks = 1 << random.nextInt(4);
        int kvHeads = 1 << random.nextInt(5);
        int heads = Math.max(ranks, kvHeads) * (1 + random.nextInt(4));
        int group = new int[] {1, 32}[random.nextInt(2)];
        int middle = group * (ranks + random.nextInt(300));
        int vocabulary = ranks + random.nextInt(1000);
        var shards = Shard.of(config(heads, kvHeads, middle, vocabulary), ranks, inputs -> group);
        assertEquals(ranks, shards.size());
        assertPartition(shards, Shard::heads, heads, 1);
        assertPartition(shards, Shard::middle, middle, middle >= 8 * ranks || group > 1 ? 8 : 1);
        assertPartition(shards, Shard::vocabulary, vocabulary, vocabulary >= 8 * ranks ? 8 : 1);
        for (Shard shard : shards) {
            if (shard.rank() < ranks - 1) assertEquals(0, shard.middle().to() % group, "" + seed);
        }
        if (ranks <= kvHeads) assertPartition(shards, Shard::kvHeads, kvHeads, 1);
    }

    private void assertPartition(
            List<Shard> shards, Function<Shard, Range> part, int total, int unit) {
        int end = 0;
        int least = total;
        int most = 0;
        for (Shard shard : shards) {
            Range range = part.apply(shard);
            assertEquals(end, range.from(), shard + ", seed " + seed);
            assertEquals(0, range.from() % unit, shard + ", seed " + seed);
            end = range.to();
            least = Math.min(least, range.width());
            most = Math.max(most, range.width());
        }
        assertEquals(total, end, "seed " + seed);
        assertTrue(least > 0, "a rank has nothing, seed " + seed);
        int slack = 2 * Math.max(unit, shards.get(0).middleUnit());
        assertTrue(most - least <= slack, "from %d to %d, seed %d".formatted(least, most, seed));
    }

    @RepeatedTest(100)
    void aQueryIsWhereItsKeyIs() {
        int ranks = 1 << random.nextInt(5);
        int kvHeads = 1 << random.nextInt(4);
        int heads = Math.max(ranks, kvHeads) * (1 + random.nextInt(4));
        int group = heads / kvHeads;
        for (Shard shard : Shard.of(config(heads, kvHeads, 512, 512), ranks, inputs -> 1)) {
            Range queries = shard.heads();
            Range keys = shard.kvHeads();
            int each = queries.width() / keys.width();
            assertEquals(queries.width(), each * keys.width());
            for (int i = 0; i < queries.width(); i++) {
                int key = keys.from() + i / each;
                assertEquals((queries.from() + i) / group, key, shard + ", seed " + seed);
            }
            assertEquals((queries.width() + 2 * keys.width()) * 32, shard.qkvWidth());
        }
    }

    @Test
    void oneRankHasEverything() {
        Shard whole = Shard.whole(config(12, 4, 99, 211));
        assertEquals(new Range(0, 12), whole.heads());
        assertEquals(new Range(0, 4), whole.kvHeads());
        assertEquals(new Range(0, 99), whole.middle());
        assertEquals(new Range(0, 211), whole.vocabulary());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "8 | 12 | 4 | 512 | 1 | tp=8 must divide 12 attention heads; try 1, 2 or 4",
                "3 | 32 | 8 | 512 | 1 | tp=3 must be a power of two; try 1, 2, 4, 8, 16 or 32",
                "2 | 9 | 3 | 512 | 1 | tp=2 must divide 9 attention heads; try 1",
                "4 | 12 | 6 | 512 | 1 | tp=4 must divide 6 KV heads or be a multiple of them; try 1 or 2",
                "8 | 8 | 8 | 512 | 64 | tp=8 leaves each rank 32 columns of the attention's output,"
                        + " which cuts through 4-bit groups of 64; try 1, 2 or 4",
                "8 | 8 | 8 | 160 | 32 | tp=8 must not exceed the 5 4-bit groups of the MLP's width"
                        + " of 160; try 1, 2 or 4",
                "8 | 8 | 8 | 7 | 1 | tp=8 must not exceed the MLP's width of 7; try 1, 2 or 4",
            })
    void aModelThatCannotBeDividedSoIsRefusedWithItsNumbers(
            int ranks, int heads, int kvHeads, int middle, int group, String message) {
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                Shard.of(
                                        config(heads, kvHeads, middle, 211),
                                        ranks,
                                        inputs -> group));
        assertEquals(message, e.getMessage());
    }
}
