package org.tokenrate.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;
import org.tokenrate.device.Tensor;

/** What ranks exchange, against plain sums; each on a thread of its own, as in the engine. */
@Timeout(120)
class CollectiveTest {
    private interface RankTask {
        void run(int rank, Device device);
    }

    private static void onRanks(int ranks, int threads, RankTask task) {
        List<Device> devices = CpuDevice.ranks(DType.F32, threads, ranks);
        ExecutorService pool = Executors.newFixedThreadPool(ranks);
        try {
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int r = 0; r < ranks; r++) {
                int rank = r;
                all.add(
                        CompletableFuture.runAsync(
                                () -> {
                                    try {
                                        task.run(rank, devices.get(rank));
                                    } catch (Throwable e) {
                                        devices.forEach(Device::abort);
                                        throw e;
                                    }
                                },
                                pool));
            }
            all.forEach(CompletableFuture::join);
        } finally {
            pool.shutdown();
            devices.forEach(Device::close);
        }
    }

    /** What a rank brings to an exchange: from the seed alone, so that every rank can tell. */
    private static float[] values(long seed, int exchange, int rank, int count) {
        Random random = new Random(seed + 1000L * exchange + rank);
        float[] values = new float[count];
        // Of very different sizes: another order of the sum would show.
        for (int i = 0; i < count; i++) {
            values[i] = (random.nextFloat() - 0.5f) * (1 << random.nextInt(20));
        }
        return values;
    }

    private static void put(CpuTensor tensor, float[] values) {
        tensor.put(0, 0, values, 0, values.length);
    }

    private static float[] get(CpuTensor tensor, int count) {
        float[] values = new float[count];
        tensor.get(0, 0, values, 0, count);
        return values;
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "2, 2", "2, 6", "3, 3", "4, 4", "4, 12", "8, 8"})
    void everyRankGetsTheSumInTheOrderOfTheRanks(int ranks, int threads) {
        long seed = new Random().nextLong();
        int exchanges = 40;
        Random shapes = new Random(seed);
        int[] columns = new int[exchanges];
        int[] rows = new int[exchanges];
        for (int e = 0; e < exchanges; e++) {
            columns[e] = 1 + shapes.nextInt(e % 2 == 0 ? 40 : 5000);
            rows[e] = 1 + shapes.nextInt(e % 3 == 0 ? 1 : 30);
        }
        onRanks(
                ranks,
                threads,
                (rank, device) -> {
                    for (int e = 0; e < exchanges; e++) {
                        int count = rows[e] * columns[e];
                        CpuTensor x = (CpuTensor) device.newTensor(30, columns[e]);
                        put(x, values(seed, e, rank, count));
                        sum(device, x, rows[e]);
                        float[] sum = values(seed, e, 0, count);
                        for (int r = 1; r < ranks; r++) {
                            float[] term = values(seed, e, r, count);
                            for (int i = 0; i < count; i++) sum[i] += term[i];
                        }
                        assertArrayEquals(sum, get(x, count), "exchange " + e + ", seed " + seed);
                    }
                });
    }

    /** Nothing between the exchanges but writing the next numbers into the same tensors. */
    @ParameterizedTest
    @CsvSource({"2, 2, 4000", "2, 4, 2000", "4, 4, 1000", "8, 8, 300"})
    void exchangesInARowDoNotMixTheirNumbers(int ranks, int threads, int exchanges) {
        int columns = 4096 + 3;
        onRanks(
                ranks,
                threads,
                (rank, device) -> {
                    CpuTensor x = (CpuTensor) device.newTensor(1, columns);
                    CpuTensor part = (CpuTensor) device.newTensor(2, rank + 1);
                    int all = ranks * (ranks + 1) / 2;
                    CpuTensor whole = (CpuTensor) device.newTensor(2, all);
                    float[] brought = new float[columns];
                    for (int e = 0; e < exchanges; e++) {
                        for (int i = 0; i < columns; i++) brought[i] = e + rank * (i & 7);
                        put(x, brought);
                        sum(device, x, 1);
                        float[] got = get(x, columns);
                        int weights = ranks * (ranks - 1) / 2;
                        for (int i = 0; i < columns; i++) {
                            assertEquals(ranks * e + weights * (i & 7), got[i], "exchange " + e);
                        }
                        float[] own = new float[2 * (rank + 1)];
                        for (int i = 0; i < own.length; i++) own[i] = e + rank;
                        put(part, own);
                        device.gather(part, 2, whole);
                        if (rank > 0) continue;
                        float[] joined = get(whole, 2 * all);
                        int at = 0;
                        for (int row = 0; row < 2; row++) {
                            for (int r = 0; r < ranks; r++) {
                                for (int i = 0; i <= r; i++) {
                                    assertEquals(e + r, joined[at++], "exchange " + e);
                                }
                            }
                        }
                    }
                });
    }

    @Test
    void partsOfDifferentWidthsAreJoinedRowByRow() {
        long seed = new Random().nextLong();
        int[] widths = {3, 1, 17, 4};
        onRanks(
                4,
                4,
                (rank, device) -> {
                    CpuTensor part = (CpuTensor) device.newTensor(9, widths[rank]);
                    put(part, values(seed, 0, rank, 9 * widths[rank]));
                    CpuTensor whole = (CpuTensor) device.newTensor(9, 25);
                    put(whole, new float[9 * 25]);
                    device.gather(part, 8, whole);
                    float[] expected = new float[9 * 25];
                    for (int row = 0; rank == 0 && row < 8; row++) {
                        for (int r = 0, column = 0; r < 4; column += widths[r++]) {
                            float[] values = values(seed, 0, r, 9 * widths[r]);
                            System.arraycopy(
                                    values,
                                    row * widths[r],
                                    expected,
                                    row * 25 + column,
                                    widths[r]);
                        }
                    }
                    assertArrayEquals(expected, get(whole, 9 * 25), "seed " + seed);
                });
    }

    /** The last rank never comes; a thread beside them says so while the others wait. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void whoWaitsForAFailedRankFails(int ranks) throws InterruptedException {
        List<Device> devices = CpuDevice.ranks(DType.F32, 2, ranks);
        ExecutorService pool = Executors.newFixedThreadPool(ranks - 1);
        List<CompletableFuture<Void>> waiting = new ArrayList<>();
        for (Device device : devices.subList(0, ranks - 1)) {
            var x = device.newTensor(1, 64);
            waiting.add(CompletableFuture.runAsync(() -> sum(device, x, 1), pool));
        }
        Thread.sleep(50);
        devices.forEach(Device::abort);
        for (CompletableFuture<Void> rank : waiting) {
            var e = assertThrows(CompletionException.class, rank::join);
            assertEquals("another rank has failed", e.getCause().getMessage());
        }
        Device last = devices.get(ranks - 1);
        var x = last.newTensor(1, 64);
        assertThrows(IllegalStateException.class, () -> sum(last, x, 1));
        assertThrows(IllegalStateException.class, () -> last.gather(x, 1, x));
        pool.shutdown();
        devices.forEach(Device::close);
    }

    private static void sum(Device device, Tensor x, int rows) {
        ((CpuDevice) device).allReduce((CpuTensor) x, rows);
    }
}
