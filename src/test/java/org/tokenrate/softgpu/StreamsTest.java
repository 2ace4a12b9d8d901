package org.tokenrate.softgpu;

import static org.bytedeco.cuda.global.cudart.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.softgpu.TestDevice.check;

import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams keep their order and nothing more, so that a wait which the program forgot shows. */
@OnSoftGpu
class StreamsTest {
    private static final String ADD =
            "extern \"C\" __global__ void add(float* x, float y) { x[threadIdx.x] += y; }";
    private static final int N = 4;

    private TestDevice device;
    private CUfunc_st add;
    private final CUstream_st other = new CUstream_st();
    private final CUevent_st event = new CUevent_st();
    private FloatPointer pinned;

    @BeforeEach
    void open() {
        device = new TestDevice(0);
        add = device.kernel(ADD, "add");
        check("cuStreamCreate", cuStreamCreate(other, CU_STREAM_NON_BLOCKING));
        check("cuEventCreate", cuEventCreate(event, CU_EVENT_DEFAULT));
        Pointer memory = new Pointer();
        check("cuMemAllocHost", cuMemAllocHost(memory, 4 * N));
        pinned = new FloatPointer(memory).capacity(N);
    }

    @AfterEach
    void close() {
        check("cuStreamDestroy", cuStreamDestroy(other));
        check("cuEventDestroy", cuEventDestroy(event));
        check("cuMemFreeHost", cuMemFreeHost(pinned));
        device.close();
    }

    private void queue(long x, float y) {
        check("launch", device.queue(add, 1, N, 0, x, y));
    }

    private static float[] all(float value) {
        float[] values = new float[N];
        java.util.Arrays.fill(values, value);
        return values;
    }

    @Test
    void aCopyToTheDeviceReadsTheHostAsLateAsItMay() {
        long x = device.allocate(4 * N);
        pinned.put(all(1));
        check("copy", cuMemcpyHtoDAsync(x, pinned, 4 * N, device.stream));
        pinned.put(all(2)); // too early
        check("wait", cuStreamSynchronize(device.stream));
        assertArrayEquals(all(2), device.floats(x, N));
    }

    @Test
    void aCopyToTheHostIsNotThereBeforeTheWait() {
        long x = device.upload(all(5));
        pinned.put(all(0));
        check("copy", cuMemcpyDtoHAsync(pinned, x, 4 * N, device.stream));
        assertEquals(0, pinned.get(0));
        assertEquals(CUDA_ERROR_NOT_READY, cuStreamQuery(device.stream));
        check("query", cuStreamQuery(device.stream));
        assertEquals(5, pinned.get(0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStreamSeesAnotherOnesWorkOnlyAfterItsEvent(boolean waits) {
        long x = device.upload(all(0));
        long y = device.allocate(4 * N);
        queue(x, 1);
        check("record", cuEventRecord(event, device.stream));
        if (waits) check("wait", cuStreamWaitEvent(other, event, 0));
        check("copy", cuMemcpyDtoDAsync(y, x, 4 * N, other));
        check("wait", cuStreamSynchronize(other));
        check("copy", cuMemcpyDtoHAsync(pinned, y, 4 * N, other));
        check("wait", cuStreamSynchronize(other));
        assertEquals(waits ? 1 : 0, pinned.get(0));
        check("wait", cuStreamSynchronize(device.stream));
    }

    @Test
    void theLegacyStreamWaitsForBlockingStreamsAndNotForOthers() {
        long x = device.upload(all(0));
        CUstream_st blocking = new CUstream_st();
        check("cuStreamCreate", cuStreamCreate(blocking, CU_STREAM_DEFAULT));
        check("memset", cuMemsetD32Async(x, Float.floatToIntBits(3), N, blocking));
        queue(x, 1);
        assertArrayEquals(all(3), device.floats(x, N));
        check("wait", cuStreamSynchronize(device.stream));
        assertArrayEquals(all(4), device.floats(x, N));
        check("cuStreamDestroy", cuStreamDestroy(blocking));
    }

    @Test
    void timeGoesForwardBetweenTwoEvents() {
        long x = device.upload(all(0));
        CUevent_st end = new CUevent_st();
        check("cuEventCreate", cuEventCreate(end, CU_EVENT_DEFAULT));
        check("record", cuEventRecord(event, device.stream));
        queue(x, 1);
        check("record", cuEventRecord(end, device.stream));
        float[] milliseconds = new float[1];
        assertEquals(CUDA_ERROR_NOT_READY, cuEventElapsedTime(milliseconds, event, end));
        check("wait", cuEventSynchronize(end));
        check("time", cuEventElapsedTime(milliseconds, event, end));
        assertTrue(milliseconds[0] >= 0, "" + milliseconds[0]);
        check("cuEventDestroy", cuEventDestroy(end));
    }

    private CUgraphExec_st exec(CUgraph_st graph) {
        CUgraphExec_st exec = new CUgraphExec_st();
        check("instantiate", cuGraphInstantiate(exec, graph, 0));
        check("cuGraphDestroy", cuGraphDestroy(graph));
        return exec;
    }

    @Test
    void aGraphDoesWhatWasCapturedEachTimeThatItIsLaunched() {
        long x = device.upload(all(1));
        long y = device.upload(all(10));
        CUgraph_st graph = new CUgraph_st();
        check("begin", cuStreamBeginCapture(device.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        queue(x, 1);
        // A branch of its own, that comes back.
        check("record", cuEventRecord(event, device.stream));
        check("fork", cuStreamWaitEvent(other, event, 0));
        check("copy", cuMemcpyDtoDAsync(y, x, 4 * N, other));
        check("record", cuEventRecord(event, other));
        check("join", cuStreamWaitEvent(device.stream, event, 0));
        queue(y, 100);
        check("copy", cuMemcpyDtoHAsync(pinned, y, 4 * N, device.stream));
        check("end", cuStreamEndCapture(device.stream, graph));
        assertArrayEquals(all(1), device.floats(x, N), "capturing does nothing");
        CUgraphExec_st exec = exec(graph);
        for (int launch = 1; launch <= 3; launch++) {
            check("launch", cuGraphLaunch(exec, device.stream));
            check("wait", cuStreamSynchronize(device.stream));
            assertEquals(101 + launch, pinned.get(N - 1));
        }
        check("cuGraphExecDestroy", cuGraphExecDestroy(exec));
    }

    @Test
    void aGraphKeepsItsPlaceInTheStream() {
        long x = device.upload(all(0));
        CUgraph_st graph = new CUgraph_st();
        check("begin", cuStreamBeginCapture(device.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
        check("memset", cuMemsetD32Async(x, Float.floatToIntBits(7), N, device.stream));
        check("end", cuStreamEndCapture(device.stream, graph));
        CUgraphExec_st exec = exec(graph);
        queue(x, 1);
        check("launch", cuGraphLaunch(exec, device.stream));
        queue(x, 2);
        check("wait", cuStreamSynchronize(device.stream));
        assertArrayEquals(all(9), device.floats(x, N));
        check("cuGraphExecDestroy", cuGraphExecDestroy(exec));
    }

    @Test
    void aWaitDuringCaptureIsRefused() {
        CUgraph_st graph = new CUgraph_st();
        check("begin", cuStreamBeginCapture(device.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
        assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(device.stream));
        assertTrue(
                Report.take().contains("cuStreamSynchronize on a stream that is being captured"));
        check("end", cuStreamEndCapture(device.stream, graph));
        check("cuGraphDestroy", cuGraphDestroy(graph));
    }

    @Test
    void aCaptureWhoseBranchDoesNotComeBackIsRefused() {
        long x = device.upload(all(0));
        CUgraph_st graph = new CUgraph_st();
        check("begin", cuStreamBeginCapture(device.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
        queue(x, 1);
        check("record", cuEventRecord(event, device.stream));
        check("fork", cuStreamWaitEvent(other, event, 0));
        check("memset", cuMemsetD32Async(x, 0, N, other));
        assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(device.stream, graph));
        assertNotEquals("", Report.take());
    }

    @Test
    void newMemoryIsNotANumber() {
        long x = device.allocate(4 * N);
        assertTrue(Float.isNaN(device.floats(x, N)[N - 1]));
    }
}
