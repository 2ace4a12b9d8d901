package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.device.Device;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.Shard;

/** An engine on the CPU that takes the times of its stages. */
class StagedEngineTest {
    private static final int LAYERS = 3;
    private static final ModelConfig CONFIG =
            RandomModel.llama(64, LAYERS, 8, 4, 16, 96, 211, false);
    private static final RandomModel MODEL = new RandomModel(CONFIG, DType.F32, new Random(5));
    private static final int[][] PROMPTS = {{1, 2, 3}, new int[100], {4}, {5, 6}};
    private static final int TOKENS = 8;

    private static LocalEngine engine(List<Device> devices, StageClock clock, int ranks)
            throws Exception {
        var decoder = new RankedDecoder(Shard.of(CONFIG, ranks, i -> 1), MODEL, devices, 72, 8);
        var info = new EngineInfo("cpu", "", "", ranks, "", "", "", 50, 64, 0, 0, Map.of());
        return new LocalEngine(decoder, clock, 50, info, 72, 8);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void timesAddUpToTheTimeBetweenTwoMomentsAndChangeNoToken(int ranks) throws Exception {
        int[][] expected;
        try (var plain = engine(CpuDevice.ranks(DType.F32, 2, ranks), StageClock.OFF, ranks)) {
            assertTrue(plain.stageTimes().isEmpty());
            expected = Answers.of(plain, PROMPTS, TOKENS, SamplingParams.GREEDY);
        }
        var clock = new RunningStageClock(System::nanoTime);
        List<Device> devices = LocalEngine.staged(CpuDevice.ranks(DType.F32, 2, ranks), clock);
        try (var engine = engine(devices, clock, ranks)) {
            long earliest = System.nanoTime();
            StageTimes before = engine.stageTimes().orElseThrow();
            long started = System.nanoTime();
            int[][] got = Answers.of(engine, PROMPTS, TOKENS, SamplingParams.GREEDY);
            long ended = System.nanoTime();
            StageTimes times = engine.stageTimes().orElseThrow().since(before);
            long latest = System.nanoTime();
            for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], got[i]);
            long total = times.totalNanos();
            assertTrue(total >= ended - started, total + " < " + (ended - started));
            assertTrue(total <= latest - earliest, total + " > " + (latest - earliest));
            assertEquals(
                    engine.counters().iterations(),
                    times.prefillIterations() + times.decodeIterations());
            for (Stage s : Stage.values()) {
                boolean others = s == Stage.QUEUE || s == Stage.GRAPH;
                if (ranks == 1) others |= s == Stage.GATHER;
                assertEquals(others, times.nanos(s) == 0, s + ": " + times.nanos(s) + " ns");
            }
        }
    }

    /** What each operation takes, by a clock that moves for nothing else. */
    private static final Map<String, Long> TAKEN =
            Map.of(
                    "embed", 1L,
                    "rmsNorm", 10L,
                    "ropeAndStore", 100L,
                    "attention", 1_000L,
                    "gatedLinear", 10_000L,
                    "gather", 1_000_000L,
                    "sample", 10_000_000L);

    private static final Map<String, Long> PRODUCTS =
            Map.of(
                    "q_proj", 1_000_000_000L,
                    "o_proj", 100_000_000_000L,
                    "down_proj", 10_000_000_000_000L,
                    "lm_head", 1_000_000_000_000_000L);

    /** The CPU, whose operations move a clock; its products by the weights that they are with. */
    private static Device timed(Device device, AtomicLong now) {
        Map<Matrix, Long> matrices = new HashMap<>();
        Object proxy =
                Proxy.newProxyInstance(
                        Device.class.getClassLoader(),
                        new Class<?>[] {Device.class},
                        (self, method, arguments) -> {
                            String name = method.getName();
                            try {
                                Object result = method.invoke(device, arguments);
                                if (name.equals("loadMatrix")) {
                                    String of =
                                            ((LinearData) ((List<?>) arguments[0]).get(0)).name();
                                    PRODUCTS.forEach(
                                            (part, nanos) -> {
                                                if (of.contains(part)) {
                                                    matrices.put((Matrix) result, nanos);
                                                }
                                            });
                                } else if (name.equals("linear") || name.equals("addLinear")) {
                                    now.addAndGet(matrices.get(arguments[1]));
                                } else {
                                    now.addAndGet(TAKEN.getOrDefault(name, 0L));
                                }
                                return result;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
        return (Device) proxy;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void everyOperationIsOfTheStageThatItsWeightsSay(int ranks) throws Exception {
        var now = new AtomicLong();
        var clock = new RunningStageClock(now::get);
        var devices = new ArrayList<>(CpuDevice.ranks(DType.F32, 2, ranks));
        devices.set(0, timed(devices.get(0), now));
        try (var engine = engine(LocalEngine.staged(devices, clock), clock, ranks)) {
            StageTimes before = engine.stageTimes().orElseThrow();
            // Three chunks of a prompt, of which one gives a token; then five that decode.
            int[] prompt = new int[150];
            Arrays.fill(prompt, 9);
            Answers.of(engine, new int[][] {prompt}, 6, SamplingParams.GREEDY);
            StageTimes times = engine.stageTimes().orElseThrow().since(before);
            assertEquals(3, times.prefillIterations());
            assertEquals(5, times.decodeIterations());
            check(times, 3, 1, ranks > 1, true);
            check(times, 5, 5, ranks > 1, false);
        }
    }

    private static void check(
            StageTimes times, int iterations, int samples, boolean joins, boolean prefill) {
        long layers = (long) LAYERS * iterations;
        Map<Stage, Long> expected = new HashMap<>();
        expected.put(Stage.EMBED, TAKEN.get("embed") * iterations);
        expected.put(Stage.NORM, TAKEN.get("rmsNorm") * (2 * layers + samples));
        expected.put(Stage.QKV, PRODUCTS.get("q_proj") * layers);
        expected.put(Stage.ROPE, TAKEN.get("ropeAndStore") * layers);
        expected.put(Stage.ATTENTION, TAKEN.get("attention") * layers);
        expected.put(Stage.OUTPUT, PRODUCTS.get("o_proj") * layers);
        expected.put(Stage.MLP, (TAKEN.get("gatedLinear") + PRODUCTS.get("down_proj")) * layers);
        expected.put(Stage.HEAD, PRODUCTS.get("lm_head") * samples);
        expected.put(Stage.SAMPLE, TAKEN.get("sample") * samples);
        // Where nothing is joined, the call that finds that out is of the product before it.
        expected.merge(joins ? Stage.GATHER : Stage.HEAD, TAKEN.get("gather") * samples, Long::sum);
        for (Stage s : Stage.values()) {
            long got = prefill ? times.prefillNanos(s) : times.decodeNanos(s);
            assertEquals(expected.getOrDefault(s, 0L), got, s.toString());
        }
    }
}
