package org.tokenrate.engine.local;

import java.util.List;
import org.tokenrate.device.Device;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;

/** The devices of our own engines without an engine on them: to measure the parts of one. */
public final class LocalDevices {
    private LocalDevices() {}

    /**
     * Opens the device that an engine would run on.
     *
     * @param engine auto, cpu, cpu:THREADS or cuda
     * @param dtype auto, f32, bf16 or f16
     * @param graphs whether a GPU records decoding iterations: only if what it is given in them
     *     depends on the batch alone, as a decoder's operations do
     * @throws IllegalArgumentException if there is no such device, or none of that type, with what
     *     would do
     */
    public static Device open(String engine, String dtype, boolean graphs) {
        return switch (name(engine)) {
            case "cpu" -> CpuEngineProvider.device(engine, dtype);
            case "cuda" -> CudaEngineProvider.device(engine, dtype, graphs);
            default -> throw noDevice(engine);
        };
    }

    /**
     * Opens the devices of a model's ranks, by rank, as the engine of these options would.
     *
     * @throws IllegalArgumentException if there are no such devices, or the model cannot be divided
     *     among so many, with what would do
     */
    public static List<Device> ranks(EngineOptions options) {
        return switch (name(options.engine())) {
            case "cpu" -> new CpuEngineProvider().devices(options);
            case "cuda" -> new CudaEngineProvider().devices(options);
            default -> throw noDevice(options.engine());
        };
    }

    private static IllegalArgumentException noDevice(String engine) {
        return new IllegalArgumentException(
                "engine=%s has no device of ours; use auto, cpu, cpu:THREADS or cuda"
                        .formatted(engine));
    }

    /**
     * Threads that the CPU engine of that name computes with.
     *
     * @throws IllegalArgumentException if it is another engine, or the number is wrong
     */
    public static int cpuThreads(String engine) {
        if (!engine.equals("auto") && !name(engine).equals("cpu")) {
            throw new IllegalArgumentException(
                    "engine=%s does not compute on the CPU; use cpu or cpu:THREADS here"
                            .formatted(engine));
        }
        return CpuEngineProvider.threads(engine);
    }

    private static String name(String engine) {
        return engine.equals("auto") ? Engines.auto() : engine.split(":", 2)[0];
    }
}
