package org.tokenrate.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.engine.local.LocalDevices;

/** A bad value is told in one sentence, before anything large is made. */
class BadParametersTest {
    private static String refusal(Executable setup) {
        String message = assertThrows(Exception.class, setup).getMessage();
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    private static DecodeAttentionBenchmark attention() {
        var b = new DecodeAttentionBenchmark();
        b.engine = "cpu:1";
        b.dtype = "f32";
        b.batch = 1;
        b.context = 64;
        b.heads = "4/2";
        b.headDim = 32;
        b.block = 64;
        b.kvMb = 1;
        return b;
    }

    @Test
    void aSizeBelowOneIsRefused() {
        var b = attention();
        b.batch = 0;
        assertEquals("batch=0 must be at least 1, e.g. -p batch=16", refusal(b::fill));
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "4/", "0/1", "4/x", "4/2/1", "99999/1"})
    void headsThatAreNoneAreRefused(String heads) {
        var b = attention();
        b.heads = heads;
        assertEquals(
                "heads=%s must be query heads / KV heads, e.g. -p heads=32/4".formatted(heads),
                refusal(b::fill));
    }

    @Test
    void kvHeadsThatDoNotDivideAreRefused() {
        var b = attention();
        b.heads = "4/3";
        assertEquals(
                "heads=4/3: the KV heads must divide the query heads, e.g. -p heads=32/4",
                refusal(b::fill));
    }

    @Test
    void aHeadThatIsOddIsRefused() {
        var b = attention();
        b.headDim = 33;
        assertEquals(
                "headDim=33 must be even, from 2 to 1024, e.g. -p headDim=64", refusal(b::fill));
    }

    @ParameterizedTest
    @ValueSource(ints = {-64, 0, 63, 100})
    void aBlockThatIsNotOfWholeTilesIsRefused(int block) {
        String message =
                "block=%d must be 64 tokens or a multiple of them, e.g. -p block=128"
                        .formatted(block);
        var decode = attention();
        decode.block = block;
        assertEquals(message, refusal(decode::fill));
        var prefill = new PrefillAttentionBenchmark();
        prefill.engine = "cpu:1";
        prefill.dtype = "f32";
        prefill.prompt = 1;
        prefill.chunk = 1;
        prefill.heads = "4/2";
        prefill.headDim = 32;
        prefill.block = block;
        assertEquals(message, refusal(prefill::fill));
    }

    @Test
    void aBlockThatCannotBeAddressedIsRefusedWithTheNumbers() {
        var b = attention();
        b.block = 1 << 24;
        assertEquals(
                "a KV block of 16777216 tokens in 32 layers of 2 heads of 32 has 68719476736 numbers, of at most 2147483647; give it fewer tokens",
                refusal(b::fill));
    }

    @Test
    void moreThanTheMemoryHoldsIsRefusedWithTheNumbers() {
        var b = attention();
        b.batch = 100_000;
        b.context = 100_000;
        String message = refusal(b::fill);
        assertTrue(
                message.matches(
                        "100000 sequences of 100000 tokens in 1 layers need \\d+ MiB of KV memory, and \\d+ are free; give fewer or shorter ones"),
                message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "simulated | engine=simulated has no device of ours; use auto, cpu, cpu:THREADS or cuda",
                "gpu | engine=gpu has no device of ours; use auto, cpu, cpu:THREADS or cuda",
                "cuda:1 | engine=cuda:1: cuda takes no arguments; CUDA_VISIBLE_DEVICES chooses devices",
            })
    void anEngineWithoutADeviceIsRefused(String engine, String message) {
        assertEquals(message, refusal(() -> LocalDevices.open(engine, "auto", false)));
    }

    @Test
    void anElementTypeThatTheCpuLacksIsRefused() {
        assertEquals(
                "dtype=f16 is not known to engine=cpu; use auto, f32 or bf16",
                refusal(() -> LocalDevices.open("cpu", "f16", false)));
    }

    @Test
    void memoryIsReadByTheCpuOnly() {
        var b = new ReadBandwidthBenchmark();
        b.engine = "cuda";
        b.mb = 1;
        assertEquals(
                "engine=cuda does not compute on the CPU; use cpu or cpu:THREADS here",
                refusal(b::allocate));
    }

    private static LinearBenchmark linear() {
        var b = new LinearBenchmark();
        b.engine = "cpu:1";
        b.dtype = "f32";
        b.model = "builtin";
        b.modelFormat = "hf";
        b.matrix = "down";
        b.rows = 1;
        b.weightsMb = 1;
        return b;
    }

    @Test
    void aMatrixThatNoModelHasIsRefused() {
        var b = linear();
        b.matrix = "middle";
        assertEquals(
                "matrix=middle must be one of layer, qkv, output, gate, up, down, head, e.g. -p matrix=layer",
                refusal(() -> new LinearBenchmark.OnDevice().load(b)));
    }

    @Test
    void aFormatThatIsNoneIsRefused() {
        var b = linear();
        b.modelFormat = "gguf";
        assertEquals(
                "modelFormat=gguf must be one of hf, llama, awq, auto, e.g. -p modelFormat=hf",
                refusal(() -> new LinearBenchmark.OnDevice().load(b)));
    }

    @Test
    void aModelThatIsNotThereIsRefused() {
        var b = linear();
        b.model = "no/such/model";
        assertTrue(refusal(() -> new LinearBenchmark.OnDevice().load(b)).contains("no/such/model"));
    }

    private static <T extends WholeModelBenchmark> T whole(T benchmark, String model, int tp) {
        benchmark.engine = "cpu:1";
        benchmark.dtype = "f32";
        benchmark.model = model;
        benchmark.modelFormat = "hf";
        benchmark.tp = tp;
        return benchmark;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | tp=0 must be a power of two; try 1, 2 or 4",
                "3 | tp=3 must be a power of two; try 1, 2 or 4",
                "16 | tp=16 must divide 12 attention heads; try 1, 2 or 4",
            })
    void ranksThatDoNotDivideTheHeadsAreRefused(int tp, String message) {
        var decode = whole(new DecodeBenchmark(), "random:llama-110m", tp);
        decode.batch = 1;
        decode.context = 64;
        assertEquals(message, refusal(decode::load));
        var prefill = whole(new PrefillBenchmark(), "random:llama-110m", tp);
        prefill.prompt = 1;
        prefill.chunk = 1;
        prefill.work = "products";
        assertEquals(message, refusal(prefill::load));
    }

    @Test
    void ranksOfAnEngineWithoutADeviceAreRefused() {
        var b = whole(new DecodeBenchmark(), "builtin", 2);
        b.engine = "simulated";
        b.batch = 1;
        b.context = 64;
        assertEquals(
                "engine=simulated has no device of ours; use auto, cpu, cpu:THREADS or cuda",
                refusal(b::load));
    }

    @Test
    void aContextBeyondTheModelsIsRefused() {
        var b = whole(new DecodeBenchmark(), "builtin", 1);
        b.batch = 1;
        b.context = 5000;
        assertEquals(
                "a sequence of 5000 tokens exceeds the model's context of 4096", refusal(b::load));
    }

    @Test
    void aPoolThatHoldsNoRequestIsRefused() {
        var b = new SchedulerBenchmark();
        b.requests = 1;
        b.promptTokens = 100;
        b.outputTokens = 100;
        b.kvBlocks = 3;
        assertEquals("kvBlocks=3 must be at least 4, e.g. -p kvBlocks=16", refusal(b::open));
    }
}
