package org.tokenrate.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;
import org.tokenrate.softgpu.OnSoftGpu;
import org.tokenrate.softgpu.SoftGpu;

/** One invocation of every benchmark of a device, unchanged, with {@code engine=cuda}. */
@OnSoftGpu(devices = 2, check = SoftGpu.Check.FAST)
class CudaBenchmarksTest {
    @TempDir Path folder;

    private final FlopCounters flops = new FlopCounters();
    private final ByteCounters bytes = new ByteCounters();
    private final TokenCounters tokens = new TokenCounters();
    private String model;

    @BeforeEach
    void writeModel() throws IOException {
        var config = RandomModel.llama(64, 2, 4, 2, 64, 128, 512, false);
        Path file = folder.resolve("config.json");
        Files.writeString(file, HfFolder.config(config).toString());
        model = "random:" + file;
    }

    private static <T extends DeviceBenchmark> T onGpu(T benchmark) {
        benchmark.engine = "cuda";
        benchmark.dtype = "bf16";
        return benchmark;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf", "awq"})
    void products(String format) throws Exception {
        LinearBenchmark b = onGpu(new LinearBenchmark());
        b.model = model;
        b.modelFormat = format;
        b.matrix = "layer";
        b.rows = 3;
        b.weightsMb = 1;
        var device = new LinearBenchmark.OnDevice();
        device.load(b);
        try {
            b.device(device, flops, bytes);
            double perWeight = bytes.gb / (flops.gflop / (2 * 3));
            if (format.equals("hf")) assertEquals(2, perWeight, 1e-9);
            else assertTrue(perWeight > 0.5 && perWeight < 0.7, "bytes: " + perWeight);
        } finally {
            device.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 128})
    void decodeAttention(int block) throws Exception {
        DecodeAttentionBenchmark b = onGpu(new DecodeAttentionBenchmark());
        b.batch = 2;
        b.context = 300; // enough to be split
        b.heads = "4/2";
        b.headDim = 64;
        b.block = block;
        b.kvMb = 1;
        b.fill();
        try {
            b.attention(flops, bytes);
            assertEquals(4 * 2.0 * 2 * 64 * 2 * 2 * 300 / 1e9, bytes.gb, 1e-12);
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 128})
    void prefillAttention(int block) throws Exception {
        PrefillAttentionBenchmark b = onGpu(new PrefillAttentionBenchmark());
        b.prompt = 100;
        b.chunk = 64;
        b.heads = "4/2";
        b.headDim = 64;
        b.block = block;
        b.fill();
        try {
            b.attention(flops);
        } finally {
            b.close();
        }
    }

    @Test
    void whatIsBetweenProducts() throws Exception {
        NormRopeActivationBenchmark b = onGpu(new NormRopeActivationBenchmark());
        b.model = model;
        b.rows = 3;
        b.load();
        try {
            b.embed(tokens);
            b.norm(tokens);
            b.ropeAndStore(tokens);
            b.gated(tokens, flops);
            b.products(tokens, flops);
            assertEquals(5 * 64 * 3, tokens.tokens);
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"greedy", "topK", "topP", "all"})
    void sampling(String method) throws Exception {
        SamplingBenchmark b = new SamplingBenchmark();
        b.engine = "cuda";
        b.vocabulary = 512;
        b.method = method;
        b.batch = 3;
        b.load();
        try {
            for (int token : b.sample(tokens, bytes)) {
                assertTrue(token >= 0 && token < 512, "token " + token);
            }
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void decoding(int tp) throws Exception {
        DecodeBenchmark b = onGpu(new DecodeBenchmark());
        b.model = model;
        b.modelFormat = "hf";
        b.tp = tp;
        b.batch = 3;
        b.context = 70;
        b.load();
        try {
            // As it is, recorded, and played back.
            int[] first = b.decode(tokens, flops, bytes).clone();
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(first, b.decode(tokens, flops, bytes));
            }
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"model, 1", "products, 1", "model, 2", "products, 2"})
    void prefill(String work, int tp) throws Exception {
        PrefillBenchmark b = onGpu(new PrefillBenchmark());
        b.model = model;
        b.modelFormat = "hf";
        b.tp = tp;
        b.prompt = 20;
        b.chunk = 16;
        b.work = work;
        b.load();
        try {
            b.prefill(tokens, flops);
            assertEquals(20, tokens.tokens);
        } finally {
            b.close();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | tp=0 must be a power of two; try 1, 2 or 4",
                "4 | tp=4 needs as many devices, but 2 are visible; use -p tp=2",
            })
    void ranksThatCannotBeAreRefused(int tp, String message) {
        DecodeBenchmark b = onGpu(new DecodeBenchmark());
        b.model = model;
        b.modelFormat = "hf";
        b.tp = tp;
        b.batch = 1;
        b.context = 64;
        assertEquals(message, assertThrows(Exception.class, b::load).getMessage());
    }
}
