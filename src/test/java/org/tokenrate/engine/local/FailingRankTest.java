package org.tokenrate.engine.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.Shard;

/** One of several ranks fails: the engine fails with it, at once, and frees what it had. */
@Timeout(120)
class FailingRankTest {
    private static final ModelConfig CONFIG = RandomModel.llama(64, 2, 8, 4, 16, 96, 211, false);
    private static final RandomModel MODEL = new RandomModel(CONFIG, DType.F32, new Random(5));

    private final AtomicInteger closed = new AtomicInteger();

    /** Devices of which one throws in the n-th call of an operation; closings are counted. */
    private List<Device> devices(int ranks, int failing, String operation, int call) {
        List<Device> devices = new ArrayList<>();
        AtomicInteger calls = new AtomicInteger();
        for (Device device : CpuDevice.ranks(DType.F32, 2, ranks)) {
            boolean fails = devices.size() == failing;
            Object proxy =
                    Proxy.newProxyInstance(
                            Device.class.getClassLoader(),
                            new Class<?>[] {Device.class},
                            (self, method, arguments) -> {
                                String name = method.getName();
                                if (fails
                                        && name.equals(operation)
                                        && calls.incrementAndGet() == call) {
                                    throw new IllegalStateException("device lost");
                                }
                                if (name.equals("close")) closed.incrementAndGet();
                                try {
                                    return method.invoke(device, arguments);
                                } catch (InvocationTargetException e) {
                                    throw e.getCause();
                                }
                            });
            devices.add((Device) proxy);
        }
        return devices;
    }

    @ParameterizedTest
    @CsvSource({
        "2, 0, attention, 31", "2, 1, attention, 31", "4, 3, linear, 30", "4, 2, addLinear, 22",
        "2, 1, gather, 6", "8, 5, embed, 1", "2, 0, sample, 3", "1, 0, sample, 3",
    })
    void inTheMiddleOfAnIteration(int ranks, int failing, String operation, int call)
            throws Exception {
        List<Device> devices = devices(ranks, failing, operation, call);
        RankedDecoder decoder =
                new RankedDecoder(Shard.of(CONFIG, ranks, inputs -> 1), MODEL, devices, 64, 4);
        EngineInfo info = new EngineInfo("cpu", "", "", ranks, "", "", "", 8, 64, 0, 0, Map.of());
        LocalEngine engine = new LocalEngine(decoder, 8, info, 64, 4);
        List<CompletableFuture<String>> failures = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            CompletableFuture<String> failure = new CompletableFuture<>();
            failures.add(failure);
            engine.submit(
                    new GenerationRequest(
                            new int[] {1, 2, 3}, 100, SamplingParams.GREEDY, true, true),
                    new TokenListener() {
                        @Override
                        public void onTokens(int[] tokens, int count) {}

                        @Override
                        public void onFinished(FinishReason reason) {
                            failure.complete("finished");
                        }

                        @Override
                        public void onFailed(Exception cause) {
                            failure.complete(cause.getMessage());
                        }
                    });
        }
        for (var failure : failures) assertEquals("device lost", failure.get(60, TimeUnit.SECONDS));
        engine.close();
        assertEquals(ranks, closed.get());
        assertNoRankIsAlive();
    }

    @ParameterizedTest
    @CsvSource({"2, 1, loadMatrix, 3", "4, 0, loadTable, 2", "2, 1, newTensor, 1"})
    void whileTheModelLoads(int ranks, int failing, String operation, int call) {
        List<Device> devices = devices(ranks, failing, operation, call);
        List<Shard> shards = Shard.of(CONFIG, ranks, inputs -> 1);
        var e =
                assertThrows(
                        IllegalStateException.class,
                        () -> new RankedDecoder(shards, MODEL, devices, 64, 4));
        assertEquals("device lost", e.getMessage());
        assertNoRankIsAlive();
        devices.forEach(Device::close);
    }

    private static void assertNoRankIsAlive() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            String name = thread.getName();
            assertTrue(!name.startsWith("engine-rank-"), name + " is alive");
        }
    }
}
