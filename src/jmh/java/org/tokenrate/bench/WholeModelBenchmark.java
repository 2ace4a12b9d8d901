package org.tokenrate.bench;

import java.util.List;
import org.openjdk.jmh.annotations.Param;
import org.tokenrate.device.Device;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.local.LocalDevices;

/** What the benchmarks of a whole model have in common. */
public abstract class WholeModelBenchmark extends DeviceBenchmark {
    /** For an engine's KV memory; here it is as large as the context. */
    private static final double CACHE_COUNT = 0.5;

    /** builtin, random:SHAPE or a model's folder. */
    @Param("random:llama-110m")
    public String model;

    /** Layout of the checkpoint: hf, llama, awq or auto. */
    @Param("hf")
    public String modelFormat;

    /**
     * Tensor-parallel ranks: a power of two that divides the model's heads, as far as the engine
     * has devices; on the CPU they share its cores.
     */
    @Param("1")
    public int tp;

    /**
     * Opens a device for each rank.
     *
     * @param sequences most of an iteration
     * @param graphs whether a GPU records decoding iterations
     * @throws IllegalArgumentException if the model cannot be divided so, or devices are missing
     */
    final List<Device> devices(int sequences, boolean graphs) {
        return LocalDevices.ranks(
                new EngineOptions(
                        engine, model, modelFormat, dtype, tp, CACHE_COUNT, sequences, graphs));
    }
}
