package org.tokenrate.bench;

import org.openjdk.jmh.annotations.Param;

/** What the benchmarks of a device's operations have in common. */
public abstract class DeviceBenchmark extends PartBenchmark {
    /** Of weights, inputs and KV cache: auto, f32 (CPU), bf16 or f16 (GPU). */
    @Param("auto")
    public String dtype;
}
