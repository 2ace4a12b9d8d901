package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.bytedeco.cuda.global.nccl.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tokenrate.softgpu.TestDevice.check;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.cuda.nccl.ncclUniqueId;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** NCCL among four devices, a thread a rank. */
@OnSoftGpu(devices = 4)
class CollectivesTest {
    private static final int RANKS = 4;
    private static final String ADD =
            "extern \"C\" __global__ void add(float* x, float y) { x[threadIdx.x] += y; }";

    private interface Rank {
        float[] run(int rank, TestDevice device, ncclComm comm) throws Exception;
    }

    /** What each rank returns, each on a thread and a device of its own. */
    private static List<float[]> onRanks(Rank body)
            throws InterruptedException, ExecutionException {
        ncclUniqueId id = new ncclUniqueId();
        check("cuInit", cuInit(0));
        assertEquals(0, ncclGetUniqueId(id));
        ExecutorService threads = Executors.newFixedThreadPool(RANKS);
        try {
            List<Future<float[]>> running = new ArrayList<>();
            for (int r = 0; r < RANKS; r++) {
                int rank = r;
                Callable<float[]> call =
                        () -> {
                            try (TestDevice device = new TestDevice(rank)) {
                                ncclComm comm = new ncclComm();
                                assertEquals(0, ncclCommInitRank(comm, RANKS, id, rank));
                                float[] result = body.run(rank, device, comm);
                                assertEquals(0, ncclCommDestroy(comm));
                                return result;
                            }
                        };
                running.add(threads.submit(call));
            }
            List<float[]> results = new ArrayList<>();
            for (Future<float[]> result : running) results.add(result.get());
            return results;
        } finally {
            threads.shutdown();
        }
    }

    private static Pointer at(long where) {
        return new Pointer() {
            {
                address = where;
            }
        };
    }

    @Test
    void everyRankGetsTheSumOfWhatComesBeforeItInTheStreams() throws Exception {
        List<float[]> results =
                onRanks(
                        (rank, device, comm) -> {
                            CUfunc_st add = device.kernel(ADD, "add");
                            long x = device.upload(rank, 10f * rank);
                            check("add", device.queue(add, 1, 2, 0, x, 1f));
                            assertEquals(
                                    0,
                                    ncclAllReduce(
                                            at(x),
                                            at(x),
                                            2,
                                            ncclFloat32,
                                            ncclSum,
                                            comm,
                                            device.stream));
                            check("add", device.queue(add, 1, 2, 0, x, 0.5f));
                            check("wait", cuStreamSynchronize(device.stream));
                            return device.floats(x, 2);
                        });
        for (float[] result : results) assertArrayEquals(new float[] {10.5f, 64.5f}, result);
    }

    /** The bits of 1, 2, 3 and 4, and of 10, in binary16 and in bfloat16. */
    @ParameterizedTest
    @CsvSource({"6, 3c00, 4000, 4200, 4400, 4900", "9, 3f80, 4000, 4040, 4080, 4120"})
    void sixteenBitsAreSummedToo(int type, String a, String b, String c, String d, String sum)
            throws Exception {
        int[] bits = Stream.of(a, b, c, d).mapToInt(x -> Integer.parseInt(x, 16)).toArray();
        List<float[]> results =
                onRanks(
                        (rank, device, comm) -> {
                            long x = device.upload(bits[rank] << 16 | bits[RANKS - 1 - rank]);
                            assertEquals(
                                    0,
                                    ncclAllReduce(
                                            at(x), at(x), 2, type, ncclSum, comm, device.stream));
                            check("wait", cuStreamSynchronize(device.stream));
                            return device.floats(x, 1);
                        });
        int expected = Integer.parseInt(sum, 16);
        for (float[] result : results) {
            assertEquals(expected << 16 | expected, Float.floatToRawIntBits(result[0]));
        }
    }

    @Test
    void gatherAndBroadcast() throws Exception {
        List<float[]> results =
                onRanks(
                        (rank, device, comm) -> {
                            long x = device.upload((float) rank);
                            long all = device.allocate(4 * RANKS);
                            assertEquals(
                                    0,
                                    ncclAllGather(
                                            at(x), at(all), 1, ncclFloat32, comm, device.stream));
                            assertEquals(
                                    0,
                                    ncclBroadcast(
                                            at(x), at(x), 1, ncclFloat32, 2, comm, device.stream));
                            check("wait", cuStreamSynchronize(device.stream));
                            float[] found = java.util.Arrays.copyOf(device.floats(all, RANKS), 5);
                            found[RANKS] = device.floats(x, 1)[0];
                            return found;
                        });
        for (float[] result : results) assertArrayEquals(new float[] {0, 1, 2, 3, 2}, result);
    }

    @Test
    void aSumWithinAGraphMeetsTheOthersAtEachLaunch() throws Exception {
        List<float[]> results =
                onRanks(
                        (rank, device, comm) -> {
                            long x = device.upload(1f + rank);
                            CUgraph_st graph = new CUgraph_st();
                            check("begin", cuStreamBeginCapture(device.stream, 1));
                            assertEquals(
                                    0,
                                    ncclAllReduce(
                                            at(x),
                                            at(x),
                                            1,
                                            ncclFloat32,
                                            ncclSum,
                                            comm,
                                            device.stream));
                            check("end", cuStreamEndCapture(device.stream, graph));
                            CUgraphExec_st exec = new CUgraphExec_st();
                            check("instantiate", cuGraphInstantiate(exec, graph, 0));
                            check("launch", cuGraphLaunch(exec, device.stream));
                            check("launch", cuGraphLaunch(exec, device.stream));
                            check("wait", cuStreamSynchronize(device.stream));
                            check("destroy", cuGraphExecDestroy(exec));
                            check("destroy", cuGraphDestroy(graph));
                            return device.floats(x, 1);
                        });
        for (float[] result : results) assertArrayEquals(new float[] {40}, result);
    }

    @Test
    void abortLetsTheOthersGo() throws Exception {
        List<float[]> results =
                onRanks(
                        (rank, device, comm) -> {
                            long x = device.upload(1f);
                            if (rank == 0) {
                                assertEquals(0, ncclCommAbort(comm));
                                // What onRanks destroys is another one.
                                assertEquals(0, ncclCommInitAll(comm, 1, new int[] {0}));
                            } else {
                                ncclAllReduce(
                                        at(x), at(x), 1, ncclFloat32, ncclSum, comm, device.stream);
                                check("wait", cuStreamSynchronize(device.stream));
                            }
                            return device.floats(x, 1);
                        });
        for (float[] result : results) assertArrayEquals(new float[] {1}, result);
    }
}
