package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.softgpu.SoftGpu;

/** What fails on a GPU fails the requests, with its name, and leaves nothing behind. */
class CudaFaultTest {
    @TempDir Path scratch;

    @BeforeAll
    static void theSoftwareGpuIsHere() {
        SoftGpu.assumeHere();
    }

    private SoftGpu.Ended run(String fault, int ranks) throws Exception {
        SoftGpu gpu = SoftGpu.build().devices(ranks).check(SoftGpu.Check.FAST);
        if (!fault.isEmpty()) gpu = gpu.fail(fault);
        return run(gpu, ranks);
    }

    private SoftGpu.Ended run(SoftGpu gpu, int ranks, String... flags) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.add("-XX:TieredStopAtLevel=1"); // it lives for seconds
        arguments.addAll(List.of("-cp", SoftGpu.classPath()));
        arguments.addAll(List.of(CudaFaultMain.class.getName(), Integer.toString(ranks)));
        return gpu.java(scratch, arguments);
    }

    @Test
    void withoutAFaultAllGoesWell() throws Exception {
        SoftGpu.Ended ended = run("", 2);
        assertTrue(ended.output().contains("done"), ended.output());
        assertEquals("", ended.report());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alloc:1   | 1 | open: cuMemAlloc of 33,554,432 bytes, of which 1,073,741,824 are"
                        + " free, for cuBLAS's workspace failed: CUDA_ERROR_OUT_OF_MEMORY",
                "alloc:3   | 1 | open: cuMemAllocHost",
                "alloc:30  | 2 | open: cuMemAlloc",
                "nccl:1    | 2 | open: ncclCommInitAll failed",
            })
    void anEngineThatDoesNotStartSaysWhyAndLeavesNothing(String fault, int ranks, String said)
            throws Exception {
        SoftGpu.Ended ended = run(fault, ranks);
        assertTrue(ended.output().contains(said), ended.output());
        assertEquals(0, ended.exit(), ended.output());
        assertEquals("", ended.report());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alloc:34  | 1 | cuMemAlloc of ",
                "launch:1  | 1 | cuLaunchKernel of rope_table failed: CUDA_ERROR_LAUNCH_FAILED",
                "launch:90 | 2 | CUDA_ERROR_LAUNCH_FAILED",
                "cublas:40 | 2 | cublasGemmEx failed: CUBLAS_STATUS_EXECUTION_FAILED",
                "nccl:5    | 2 | ncclAllReduce failed", // while others wait in theirs
                "nccl:12   | 2 | nccl", // a broadcast, or the end of their group
                "nccl:30   | 4 | nccl",
            })
    void aRequestFailsWithTheCallThatFailedAndTheEngineTakesNoMore(
            String fault, int ranks, String said) throws Exception {
        SoftGpu.Ended ended = run(fault, ranks);
        assertTrue(ended.output().contains("\nanswer: "), ended.output());
        assertTrue(ended.output().contains(said), ended.output());
        assertTrue(ended.output().contains("\nnext: the engine failed: "), ended.output());
        assertEquals(0, ended.exit(), ended.output());
        assertEquals("", ended.report());
    }

    /** Of a lost device nothing can be freed: the report tells of leaks then. */
    @Test
    void aLostDeviceFailsTheRequestsAndTheEngineClosesAllTheSame() throws Exception {
        SoftGpu.Ended ended = run("lost:900", 2);
        assertTrue(ended.output().contains("\nanswer: "), ended.output());
        assertTrue(ended.output().contains("\nnext: the engine failed: "), ended.output());
        assertEquals(0, ended.exit(), ended.output());
    }

    @Test
    void aCompilerThatFailsIsNamed() throws Exception {
        SoftGpu gpu = SoftGpu.build().fail("nvrtc:1");
        SoftGpu.Ended ended = run(gpu, 1, "-Dtokenrate.cache=" + scratch.resolve("empty"));
        assertTrue(ended.output().contains("open: "), ended.output());
        assertTrue(ended.output().contains("embedding.cu"), ended.output());
        assertEquals("", ended.report());
    }
}
